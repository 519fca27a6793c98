/** A server on this machine's loopback address, and nowhere else. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Loopback {
  /** @param port 0: any free one. Rejects with Node's error (`EADDRINUSE`). */
  listen(port: number): Promise<{ port: number; url: string }>;
  /** Cuts every connection and frees the port; resolves as well when it never listened. */
  close(): Promise<void>;
}

export function onLoopback(server: Server): Loopback {
  return {
    listen: (port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => {
          server.off('error', reject);
          const bound = (server.address() as AddressInfo).port;
          resolve({ port: bound, url: `http://127.0.0.1:${bound}` });
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
