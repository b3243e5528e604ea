// Which page an address shows; each is its own chunk.
import { createRouter, createWebHistory, type RouteLocationNormalized } from "vue-router";
import { useSession } from "@/stores/session";

declare module "vue-router" {
  interface RouteMeta {
    /** Also for those who are not signed in. */
    open?: boolean;
    admin?: boolean;
  }
}

export const router = createRouter({
  history: createWebHistory("/app/"),
  routes: [
    { path: "/login", name: "login", component: () => import("@/pages/LoginPage.vue"), meta: { open: true } },
    {
      path: "/",
      component: () => import("@/features/conversations/ConversationFrame.vue"),
      children: [
        { path: "", name: "new", component: () => import("@/pages/NewConversationPage.vue") },
        { path: "c/:id", name: "conversation", component: () => import("@/pages/ConversationPage.vue"), props: true },
        { path: "archived", name: "archived", component: () => import("@/pages/ArchivedPage.vue") },
        {
          path: "settings",
          component: () => import("@/pages/SettingsPage.vue"),
          children: [
            { path: "", name: "settings", component: () => import("@/pages/AccountPage.vue") },
            { path: "keys", name: "keys", component: () => import("@/pages/ApiKeysPage.vue") },
            { path: "devices", name: "devices", component: () => import("@/pages/DevicesPage.vue") },
          ],
        },
        {
          path: "admin",
          component: () => import("@/pages/AdminPage.vue"),
          meta: { admin: true },
          redirect: { name: "users" },
          children: [
            { path: "users", name: "users", component: () => import("@/pages/UsersPage.vue") },
            { path: "models", name: "models", component: () => import("@/pages/ModelsPage.vue") },
            { path: "jobs", name: "jobs", component: () => import("@/pages/JobsPage.vue") },
          ],
        },
      ],
    },
    { path: "/:path(.*)*", name: "missing", component: () => import("@/pages/MissingPage.vue"), meta: { open: true } },
  ],
});

router.beforeEach(async (to) => {
  if (to.meta.open) return true;
  const user = await useSession().resume();
  if (!user) return signInFrom(to);
  return !to.meta.admin || user.role === "admin" ? true : { name: "missing", params: { path: to.path.slice(1).split("/") } };
});

/** The sign-in page, with the way back. */
export function signInFrom(to: RouteLocationNormalized): { name: string; query: Record<string, string> } {
  return { name: "login", query: to.fullPath === "/" ? {} : { next: to.fullPath } };
}
