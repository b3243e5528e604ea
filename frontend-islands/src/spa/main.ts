// The application under /app/.
import { createPinia } from "pinia";
import { createApp } from "vue";
import { usePreferences } from "@/stores/preferences";
import "@/styles/index.css";
import { forgetDrafts } from "@pages/storage.js";
import App from "./App.vue";
import { router } from "./router";

forgetDrafts();
const app = createApp(App).use(createPinia());
const preferences = usePreferences();
preferences.rememberApp();
await preferences.speak(preferences.firstLocale());
app.use(router).mount("#app");
