/** FAULTS 39: a crowd that only sits there. */
import {once} from 'node:events';
import {connect, type Socket} from 'node:net';
import test from 'ava';
import {TestDaemon} from '../helpers/daemon.js';
import {makeStateDir} from '../helpers/state-dir.js';

const connections = 1000;
const streams = 200;
const starts = 60;

/** Milliseconds that each of some starts took, sorted. */
async function timeStarts(daemon: TestDaemon): Promise<number[]> {
	const times: number[] = [];
	for (let count = 0; count < starts; count++) {
		const begun = performance.now();
		await daemon.start({command: 'true'});
		times.push(performance.now() - begun);
	}

	return times.sort((a, b) => a - b);
}

function show(times: readonly number[]): string {
	const at = (share: number) => times[Math.ceil(times.length * share) - 1]?.toFixed(1);
	return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

async function openConnection({url}: TestDaemon, head = ''): Promise<Socket> {
	const {hostname, port} = new URL(url);
	const socket = connect(Number(port), hostname);
	socket.on('error', () => socket.destroy());
	await once(socket, 'connect');
	if (head !== '') {
		socket.write(head);
		await once(socket, 'data');
		// What is sent to it is not kept.
		socket.resume();
	}

	return socket;
}

test('1,000 connections without a request and 200 event streams hold nobody up', async t => {
	const daemon = await TestDaemon.open(t, makeStateDir(t));
	const crowd: Socket[] = [];
	t.teardown(() => {
		for (const socket of crowd) {
			socket.destroy();
		}
	});
	await timeStarts(daemon);
	const alone = await timeStarts(daemon);

	while (crowd.length < connections) {
		crowd.push(await openConnection(daemon));
	}

	const head = `GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${daemon.token}\r\n\r\n`;
	while (crowd.length < connections + streams) {
		crowd.push(await openConnection(daemon, head));
	}

	const crowded = await timeStarts(daemon);

	t.is(crowded.length, starts);
	t.log(`A start alone: ${show(alone)}; in the crowd: ${show(crowded)}`);
	// Those that have sent nothing may be let go after a while; a stream may not.
	t.true(crowd.slice(connections).every(({destroyed, readyState}) => !destroyed && readyState === 'open'));
});
