// Which page an address shows; each is its own chunk.
import { shallowRef } from "vue";
import { createRouter, createWebHistory, type RouteLocationNormalized } from "vue-router";
import { ApiError } from "@/api/problem";
import type { User } from "@/api/types";
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
          children: [
            { path: "", name: "overview", component: () => import("@/pages/OverviewPage.vue") },
            { path: "users", name: "users", component: () => import("@/pages/UsersPage.vue") },
            { path: "invites", name: "invites", component: () => import("@/pages/InvitesPage.vue") },
            { path: "models", name: "models", component: () => import("@/pages/ModelsPage.vue") },
            { path: "jobs", name: "jobs", component: () => import("@/pages/JobsPage.vue") },
          ],
        },
      ],
    },
    { path: "/:path(.*)*", name: "missing", component: () => import("@/pages/MissingPage.vue"), meta: { open: true } },
  ],
});

/** Where somebody wanted to go when the server did not say who it is. */
export const unreached = shallowRef<string | null>(null);

router.beforeEach(async (to) => {
  const user = to.meta.open ? null : await resumed(to.fullPath);
  if (user === undefined) return false;
  unreached.value = null;
  if (to.meta.open) return true;
  if (!user) return signInFrom(to);
  return !to.meta.admin || user.role === "admin" ? true : { name: "missing", params: { path: to.path.slice(1).split("/") } };
});

async function resumed(wanted: string): Promise<User | null | undefined> {
  try {
    return await useSession().resume();
  } catch (error) {
    if (!(error instanceof ApiError) || !error.isPassing) throw error;
    unreached.value = wanted;
    return undefined;
  }
}

/** The sign-in page, with the way back. */
export function signInFrom(to: RouteLocationNormalized): { name: string; query: Record<string, string> } {
  return { name: "login", query: to.fullPath === "/" ? {} : { next: to.fullPath } };
}
