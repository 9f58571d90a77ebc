/** The agent program that tests start when they need no other: `node agent.js STATE_DIR [OPTIONS_JSON]`. */
import {runAgent} from './agent-program.js';

await runAgent();
