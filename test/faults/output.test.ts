import {statSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import type {SupervisorOptions} from '../../lib/index.js';
import {TestDaemon} from '../helpers/daemon.js';
import type {ReceivedEvent} from '../helpers/event-source.js';
import {eventually} from '../helpers/eventually.js';
import {readProc} from '../helpers/processes.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {listKept} from '../helpers/state-files.js';
import {wrap} from '../helpers/wrap.js';

const mebibyte = 1_048_576;

// As yes(1) does it, but not at a gigabyte a second: the disk is others' too.
const flood = 'while IFS= read -rN 65536 block; do printf %s "$block"; done < <(yes)';

const floods = test.macro(async (t, ports: SupervisorOptions['ports']) => {
	const cap = 10 * mebibyte;
	const supervisor = await openSupervisor(t, {ports, output: {maxStreamBytes: cap}});
	const {processId} = await supervisor.start({command: flood});
	const output = supervisor.output(processId);

	// Several times it had grown too long, and was shortened.
	const bases = new Set([0]);
	let total = 0;
	let mostKept = 0;
	await eventually(async () => {
		const {baseOffset, totalBytes, bytes, offset} = await output.read({tail: 4});
		t.true(totalBytes >= total && baseOffset >= Math.max(...bases), 'offsets never go back');
		t.is(Buffer.from(bytes).toString(), 'y\ny\ny\n'.slice(offset % 2).slice(0, bytes.length));
		bases.add(baseOffset);
		total = totalBytes;
		mostKept = Math.max(mostKept, totalBytes - baseOffset);
		return bases.size > 4;
	});

	t.is((await supervisor.get(processId)).status, 'running');
	await supervisor.kill(processId, {gracePeriodMs: 0});
	const path = join(supervisor.stateDir, 'runs', processId, 'stdout');
	await eventually(() => statSync(path).blocks * 512 <= cap + 65_536);
	const {stdoutBytes, stdoutDropped} = await supervisor.get(processId);
	t.true(stdoutBytes - stdoutDropped <= cap);
	t.true(stdoutDropped >= Math.max(...bases));
	t.log(`of ${Math.round(stdoutBytes / mebibyte)} MiB at most ${Math.round(mostKept / mebibyte)} were kept at once`);
});

test('29: a flood is held to its cap by holes, told, and not held up', floods, {});
test('29: a flood is held to its cap where no holes can be made', floods, {
	disk: disk => wrap(disk, {punchHole: async () => false}),
});

test('29: what is over before the first look is held to its cap all the same', async t => {
	const supervisor = await openSupervisor(t, {output: {maxStreamBytes: mebibyte}});
	const {processId} = await supervisor.start({command: 'head -c 6000000 /dev/zero'});
	await supervisor.wait(processId);

	const {stdoutBytes, stdoutDropped} = await eventually(
		() => supervisor.get(processId),
		({stdoutDropped}) => stdoutDropped > 0,
	);

	t.is(stdoutBytes, 6_000_000);
	t.true(stdoutBytes - stdoutDropped <= mebibyte);
});

test('while the disk has less than its reserve, a start is refused and leaves nothing', async t => {
	const stateDir = makeStateDir(t);
	const daemon = await TestDaemon.open(t, stateDir, {NOHUPD_DISK_RESERVE: String(2 ** 50)});

	t.like(await daemon.ask('POST', '/commands/background', {command: 'true'}), {
		status: 507,
		json: {code: 'INSUFFICIENT_STORAGE'},
	});

	t.deepEqual(await daemon.list(), []);
	t.deepEqual(listKept(stateDir), []);
});

test('30: nobody reads 200 MB: that costs the agent nothing; ten who stop reading hold nobody up', async t => {
	const stateDir = makeStateDir(t);
	const daemon = await TestDaemon.open(t, stateDir, {NOHUPD_MAX_STREAM_BYTES: String(2 ** 30)});
	const before = resources(daemon.pid);
	const {process_id} = await daemon.start({command: 'yes | head -c 200000000'});
	await eventually(
		() => daemon.get(process_id),
		({status}) => status === 'completed',
	);
	const unread = resources(daemon.pid);

	const path = `/execute/processes/${process_id}`;
	for (let reader = 0; reader < 10; reader++) {
		daemon.stall(t, `${path}/stream`);
	}

	let read = 0;
	for await (const {event, data} of daemon.receive(t, `${path}/stream?from=stdout:150000000`)) {
		read += event === 'stdout' ? String(data['text']).length : 0;
	}

	const after = resources(daemon.pid);
	t.is(read, 50_000_000);
	t.true(unread.residentBytes - before.residentBytes < 40_000_000, 'no growth while nobody reads');
	// Ten times what waits to be taken, and what one reader needs.
	t.true(after.residentBytes - before.residentBytes < 200_000_000, 'bounded growth for those who do not');
	t.log(`${unread.cpuMs - before.cpuMs} ms of processor time while it was written`);
});

test('31: binary output is exact as bytes, marked as text, and whole across reads', async t => {
	const daemon = await TestDaemon.open(t, makeStateDir(t));
	const everyByte = '{0..9}{0..9}';
	const command = [
		`for i in {0..255}; do printf "\\\\x$(printf %x $i)"; done`,
		`for i in ${everyByte}; do printf '\\xe2\\x82'; read -t 0.001 <> <(:); printf '\\xac'; done >&2`,
		`printf 'no newline \\xe2' >&2`,
	].join('; ');
	const {process_id} = await daemon.start({command});
	const path = `/execute/processes/${process_id}`;

	const events = await receiveUntil(daemon.receive(t, `${path}/stream`));

	const all = Buffer.from(Array.from({length: 256}, (_, index) => index));
	t.deepEqual((await daemon.bytes(`${path}/output?format=raw`)).bytes, all);
	t.deepEqual(await daemon.bytes(`${path}/output?format=raw`, {range: 'bytes=250-'}), {
		bytes: all.subarray(250),
		range: 'bytes 250-255/256',
	});
	t.deepEqual(bytesOf(events, 'stdout'), all);
	const euros = '€'.repeat(100);
	t.is(bytesOf(events, 'stderr').toString(), `${euros}no newline \ufffd`);
	t.true(events.filter(({event, data}) => event === 'stderr' && data['encoding'] === 'base64').length <= 1);
	const {json} = await daemon.ask('GET', `${path}/output?stream=stderr&tail=20`);
	t.like(json, {text: '€€no newline \ufffd', truncated: true});
	const {json: binary} = await daemon.ask('GET', `${path}/output`);
	t.regex((binary as {text: string}).text, /^\0.*~\x7f\ufffd+$/s);
});

const follows = test.macro({
	async exec(t, restarts: number) {
		const stateDir = makeStateDir(t);
		const lines = 100_000;
		let daemon = await TestDaemon.open(t, stateDir);
		const command = `for ((i = 1; i <= ${lines}; i++)); do echo "$i"; done; echo end >&2`;
		const {process_id} = await daemon.start({command, timeout: 0});
		const path = `/execute/processes/${process_id}/stream`;
		const expected = Array.from({length: lines}, (_, index) => `${index + 1}\n`).join('');

		const events: ReceivedEvent[] = [];
		for (let restart = 1; restart <= restarts; restart++) {
			const enough = (expected.length * restart) / (restarts + 1);
			events.push(...(await receiveUntil(daemon.receive(t, path, lastIdOf(events)), enough)));
			await daemon.end(restart % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
			daemon = await TestDaemon.open(t, stateDir);
		}

		events.push(...(await receiveUntil(daemon.receive(t, path, lastIdOf(events)))));

		t.true(bytesOf(events, 'stdout').toString() === expected, 'each line comes once');
		t.is(bytesOf(events, 'stderr').toString(), 'end\n');
		t.like(events.at(-1), {event: 'end', data: {process_id, status: 'completed'}});
	},
	title: (_, restarts) => `32: a follower over ${restarts} restarts of the daemon gets each of 100,000 lines once`,
});

test(follows, 10);

/** Events until one of standard output begins behind an offset: then the client is gone. */
async function receiveUntil(
	received: AsyncIterable<ReceivedEvent>,
	enough = Number.POSITIVE_INFINITY,
): Promise<ReceivedEvent[]> {
	const events: ReceivedEvent[] = [];
	for await (const event of received) {
		events.push(event);
		if (event.event === 'stdout' && Number(event.data['offset']) > enough) {
			break;
		}
	}

	return events;
}

function lastIdOf(events: readonly ReceivedEvent[]): object {
	const id = events.at(-1)?.id;
	return id === undefined ? {} : {'last-event-id': id};
}

/** What the events of one stream showed; each must begin where the one before it ended. */
function bytesOf(events: readonly ReceivedEvent[], stream: string): Buffer {
	const chunks = events.filter(({event}) => event === stream).map(({data}) => data);
	let next = 0;
	return Buffer.concat(
		chunks.map(({offset, text, encoding}) => {
			const bytes = Buffer.from(String(text), encoding === 'base64' ? 'base64' : 'utf8');
			if (offset !== next) {
				throw new Error(`${stream} goes on at ${offset}, not at ${next}`);
			}

			next += bytes.length;
			return bytes;
		}),
	);
}

function resources(pid: number): {cpuMs: number; residentBytes: number} {
	const stat = readProc(pid, 'stat');
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	// proc_pid_stat(5): fields 14, 15 and 24; ours begin with the third.
	return {cpuMs: 10 * (Number(fields[11]) + Number(fields[12])), residentBytes: 4096 * Number(fields[21])};
}
