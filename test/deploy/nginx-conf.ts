/** The shipped nginx configuration where it is run here: only ports, the nodes' addresses and paths are others. */

export interface Places {
  /** Container port -> a port of this machine's loopback. */
  readonly ports: ReadonlyMap<number, number>;
  /** `gatehouse-1:3000` -> `127.0.0.1:12345`. */
  readonly nodes: ReadonlyMap<string, string>;
  /** `/tmp` and the like -> a folder or file of the run's. */
  readonly paths: ReadonlyMap<string, string>;
}

/**
 * Throws for a port, a node or an absolute path that it is not told of, and for one it is told of that is not there.
 */
export function mapNginx(source: string, { ports, nodes, paths }: Places): string {
  const seen = new Set<string>();
  const known = <K, V>(map: ReadonlyMap<K, V>, key: K, what: string): V => {
    const value = map.get(key);
    if (value === undefined)
      throw new Error(`nginx.conf names the ${what} ${String(key)}, which compose.yaml does not give it`);
    seen.add(String(key));
    return value;
  };
  const lines = source.split('\n').map((line) => {
    const [code = '', ...comment] = line.split('#');
    if (code.trim() === '') return line;
    const mapped = code
      .replace(/\blisten (\d+)/, (_, port: string) => `listen 127.0.0.1:${known(ports, Number(port), 'port')}`)
      // Names change their addresses in Docker alone; this parameter is younger than Debian's nginx.
      .replace(/\bserver (\S+:\d+) resolve\b/, (_, node: string) => `server ${known(nodes, node, 'node')}`)
      .replace(/(?<=\s)(\/(?:run\/secrets\/\w+|tmp|dev\/std(?:out|err)))(?=[/;\s])/g, (path) =>
        known(paths, path, 'path'),
      );
    const left = /(?<=\s)\/(?:run|tmp|dev|etc|var|usr)\/\S+/.exec(
      [...paths.values()].reduce((text, path) => text.replaceAll(path, ''), mapped),
    );
    if (left !== null) throw new Error(`nginx.conf names the path ${left[0]}, which this run does not have`);
    return [mapped, ...comment].join('#');
  });
  const unused = [...ports.keys(), ...nodes.keys()].filter((key) => !seen.has(String(key)));
  if (unused.length > 0) throw new Error(`nginx.conf does not name ${unused}`);
  return lines.join('\n');
}
