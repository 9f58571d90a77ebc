/** `node bare-server.js BODY_FILE`: answers every request with these bytes. Tells its parent the port. */
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';

const body = readFileSync(process.argv[2] ?? '');
const server = createServer((_, response) => {
	response.writeHead(200, {'content-type': 'application/json', 'content-length': body.length});
	response.end(body);
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.once('disconnect', () => process.exit());
