// Which server versions this client can talk to.

/** How a server's version stands to the client's; "unknown" is a server that does not say, or no version number. */
export type Standing = "compatible" | "server-older" | "server-newer" | "unknown";

/**
 * Compares two versions by the part that marks an incompatible change: the major number, or the minor number while the
 * major is 0.
 */
export function standing(client: string, server: string | undefined): Standing {
  const ours = breakingPart(client);
  const theirs = server === undefined ? undefined : breakingPart(server);
  if (ours === undefined || theirs === undefined) return "unknown";
  for (const [index, our] of ours.entries()) {
    const difference = (theirs[index] ?? 0) - our;
    if (difference !== 0) return difference < 0 ? "server-older" : "server-newer";
  }
  return "compatible";
}

function breakingPart(version: string): readonly [number, number] | undefined {
  const match = /^v?(\d+)\.(\d+)/.exec(version.trim());
  if (match === null) return undefined;
  const major = Number(match[1]);
  return major === 0 ? [0, Number(match[2])] : [major, 0];
}
