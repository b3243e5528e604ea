// The application under /app/.
import { createPinia } from "pinia";
import { createApp } from "vue";
import { usePreferences } from "@/stores/preferences";
import "@/styles/index.css";
import App from "./App.vue";
import { router } from "./router";

const app = createApp(App).use(createPinia());
const preferences = usePreferences();
await preferences.speak(preferences.firstLocale());
app.use(router).mount("#app");
