/** What messages are written in. */

/** JSON in characters that a queue takes: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
export function textOf(event: unknown): string {
  try {
    return (JSON.stringify(event) ?? 'null').replace(/[\uFFFE\uFFFF]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
  } catch {
    return '"an event that is nested too deeply to be written down"';
  }
}
