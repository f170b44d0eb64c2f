import { defineConfig } from "vitest/config";

// What needs a server: tests/e2e/console/test_client.py starts one.
export default defineConfig({ test: { include: ["src/api/live.ts"], testTimeout: 60_000 } });
