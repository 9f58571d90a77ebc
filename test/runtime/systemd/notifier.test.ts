import {closeSync, openSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {createNotify} from '../../../runtime/systemd/notifier.js';
import {RecordingLogger} from '../../helpers/recording-logger.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

test('a program that is no service tells nobody', async t => {
	const logger = new RecordingLogger();

	await createNotify({PATH: '/nowhere'}, {notify: null}, logger)('READY=1');

	t.deepEqual(logger.entries, []);
});

test('systemd-notify speaks for us, and sees nothing of our environment but where to', async t => {
	const directory = makeTempDir(t);
	const said = join(directory, 'said');
	const script = `#!/bin/bash\n{ printf '%s\\n' "$@"; export -p; } >${said}\n`;
	writeFileSync(join(directory, 'systemd-notify'), script, {mode: 0o755});
	const environment = {NOTIFY_SOCKET: '/run/x', PATH: directory, NOHUPD_JWT_SECRET: 'hunter2'};

	await createNotify(environment, {notify: null}, new RecordingLogger())('READY=1', 'STATUS=3 running, 0 queued');

	const text = readFileSync(said, 'utf8');
	t.regex(text, /^--\nREADY=1\nSTATUS=3 running, 0 queued\n/);
	t.regex(text, /NOTIFY_SOCKET="\/run\/x"/);
	t.notRegex(text, /hunter2/);
});

test('a descriptor that is connected is written to, one message at a time', async t => {
	const path = join(makeTempDir(t), 'socket');
	const descriptor = openSync(path, 'w');
	t.teardown(() => closeSync(descriptor));

	const notify = createNotify({NOTIFY_SOCKET: '/run/x', PATH: '/nowhere'}, {notify: descriptor}, new RecordingLogger());
	await notify('WATCHDOG=1', 'STATUS=fine');

	t.is(readFileSync(path, 'utf8'), 'WATCHDOG=1\nSTATUS=fine');
});

test('a systemd that cannot be told is a line in the log', async t => {
	const logger = new RecordingLogger();

	await createNotify({NOTIFY_SOCKET: '/run/x', PATH: '/nowhere'}, {notify: null}, logger)('READY=1');

	t.like(logger.entries[0], {level: 'warn', message: 'systemd could not be told how nohupd is'});
});
