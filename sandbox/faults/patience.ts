/** Waiting that ends with the sandbox. */
export interface Patience {
  /** Resolves after so long with true, and with false when the sandbox stops: work that was put off must not reach a closed state. */
  wait(milliseconds: number): Promise<boolean>;
  close(): void;
}

export function createPatience(): Patience {
  const waiting = new Map<NodeJS.Timeout, (waited: boolean) => void>();
  let closed = false;
  return {
    wait(milliseconds) {
      if (closed) return Promise.resolve(false);
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => {
        waiting.delete(timer);
        resolve(true);
      }, milliseconds);
      waiting.set(timer, resolve);
      return promise;
    },
    close() {
      closed = true;
      for (const [timer, resolve] of waiting) {
        clearTimeout(timer);
        resolve(false);
      }
      waiting.clear();
    },
  };
}
