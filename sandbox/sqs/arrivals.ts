/** Wakes who waits for messages: at once when something was sent, by one timer when something falls due, never in between. */
export interface Arrivals {
  /** @returns the function that ends it */
  subscribe(queue: string, listener: () => void): () => void;
  /** Messages may be visible now. Listeners run later, when the current transaction is over. */
  notify(queue: string): void;
  /** Some message became invisible until later: look again when it is due. */
  rearm(queue: string): void;
  close(): void;
}

/** The longest timer that Node takes; a queue with nothing nearer is looked at again then. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Watch {
  listeners: Set<() => void>;
  timer: NodeJS.Timeout | null;
  immediate: NodeJS.Immediate | null;
}

/** @param nextDueMs when the next invisible message of the queue becomes visible, `null`: none will */
export function createArrivals(nextDueMs: (queue: string) => number | null): Arrivals {
  const watches = new Map<string, Watch>();

  function notify(queue: string): void {
    const watch = watches.get(queue);
    if (!watch || watch.immediate) return;
    watch.immediate = setImmediate(() => {
      watch.immediate = null;
      for (const listener of [...watch.listeners]) listener();
      rearm(queue);
    });
  }

  function rearm(queue: string): void {
    const watch = watches.get(queue);
    if (!watch) return;
    if (watch.timer) clearTimeout(watch.timer);
    const due = nextDueMs(queue);
    // A millisecond more: timers may fire early, and the message would not be visible yet.
    watch.timer = due === null ? null : setTimeout(() => notify(queue), Math.min(Math.max(due - Date.now(), 0) + 1, MAX_TIMER_MS)).unref();
  }

  function stop(watch: Watch): void {
    if (watch.timer) clearTimeout(watch.timer);
    if (watch.immediate) clearImmediate(watch.immediate);
  }

  return {
    subscribe(queue, listener) {
      const watch = watches.get(queue) ?? { listeners: new Set(), timer: null, immediate: null };
      const entry = () => listener();
      watch.listeners.add(entry);
      watches.set(queue, watch);
      rearm(queue);
      return () => {
        watch.listeners.delete(entry);
        if (watch.listeners.size > 0 || watches.get(queue) !== watch) return;
        stop(watch);
        watches.delete(queue);
      };
    },
    notify,
    rearm,
    close() {
      for (const watch of watches.values()) stop(watch);
      watches.clear();
    },
  };
}
