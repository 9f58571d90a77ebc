/** What a token can allow. `admin` is what concerns everybody: the shared environment, the machine's processes. */
export const scopes = ['read', 'start', 'kill', 'admin'] as const;

export type Scope = (typeof scopes)[number];
