import type {Supervisor} from '../lib/index.js';

/**
 * The supervisor as one caller may use it: what a handler gets instead of the supervisor itself. Whatever the
 * supervisor learns to do must be decided on by all who implement this, or it does not compile.
 */
export type SupervisorView = Omit<Supervisor, 'stateDir' | 'on' | 'off' | 'close'>;
