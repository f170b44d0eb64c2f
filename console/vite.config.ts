import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// `whimbrel up --port 30080` beside `npm run dev`: the page comes from here, what it asks for from there.
const server = process.env.WHIMBREL_URL ?? "http://localhost:30080";

export default defineConfig({
  base: "/console/",
  plugins: [svelte()],
  build: {
    outDir: "../src/whimbrel/server/console",
    emptyOutDir: true,
    target: "es2022",
    // Data URIs would need a wider policy for scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": { target: server, headers: { host: "localhost" } } } },
});
