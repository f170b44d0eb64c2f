// Addresses of files that the server signs are good for an hour: what holds them is read again before that.

import { createSubscriber } from "svelte/reactivity";

const EVERY = 45 * 60_000;
let count = 0;

const subscribe = createSubscriber((update) => {
  const timer = setInterval(() => {
    count += 1;
    update();
  }, EVERY);
  return () => clearInterval(timer);
});

/** Another number every three quarters of an hour. */
export function fresh(): number {
  subscribe();
  return count;
}
