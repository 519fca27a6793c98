/** A map of so many entries: whatever was put longest ago is forgotten first. */
export interface Recent<Value> {
  get(name: string): Value | undefined;
  put(name: string, value: Value): void;
}

export function createRecent<Value>(most: number): Recent<Value> {
  const entries = new Map<string, Value>();
  return {
    get: (name) => entries.get(name),
    put(name, value) {
      entries.delete(name);
      entries.set(name, value);
      if (entries.size <= most) return;
      const [oldest = ''] = entries.keys();
      entries.delete(oldest);
    },
  };
}
