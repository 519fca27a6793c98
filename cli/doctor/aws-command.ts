/** Commands of the AWS CLI, ready to be pasted into a POSIX shell. */

/** @param options name without dashes → its value; objects are given as JSON, `true` stands alone */
export function awsCommand(service: string, operation: string, options: Readonly<Record<string, string | object | true>>): string {
  const words = Object.entries(options).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, quote(value)]));
  return ['aws', service, operation, ...words].join(' ');
}

function quote(value: string | object): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
