// A second program beside the daemon: it tells what becomes of processes that others started. The number of the last
// event it has seen stands in a file, so nothing is missed while it is away, and nothing is told twice.
//
//   URL=http://127.0.0.1:7777 TOKEN=$(npx nohupd token --scope read) node test/examples/watcher.mjs last-event
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import {EventSourceParserStream} from 'eventsource-parser/stream';

const {URL: url, TOKEN: token} = process.env;
const [memory = 'last-event'] = process.argv.slice(2);

function tell({event, data}) {
	const {from, to, process} = JSON.parse(data);
	if (event === 'gap') {
		console.log(`missed some of the events ${from} to ${to}: their processes are forgotten`);
	} else {
		console.log(`${process.name ?? process.process_id} ${event}: ${process.status}, exit code ${process.exit_code}`);
	}
}

async function follow() {
	const last = existsSync(memory) ? readFileSync(memory, 'utf8') : '0';
	const {ok, status, body} = await fetch(`${url}/events?type=started,ended`, {
		headers: {authorization: `Bearer ${token}`, 'last-event-id': last},
	});
	if (!ok) {
		throw new Error(`The daemon answers ${status}`);
	}

	for await (const item of body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())) {
		tell(item);
		if (item.id !== undefined) {
			writeFileSync(memory, item.id);
		}
	}
}

// Not between telling an event and noting that it was told.
process.once('SIGTERM', () => process.exit(0));

for (;;) {
	try {
		await follow();
	} catch (error) {
		console.error(`${error.message}; trying again`);
	}

	// The daemon is restarted, or the connection broke.
	await delay(1000);
}
