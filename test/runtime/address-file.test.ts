import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {publishAddress, readAddress, withdrawAddress} from '../../runtime/address-file.js';
import {makeTempDir} from '../helpers/temp-dir.js';

const url = 'http://127.0.0.1:4711';

/** What this process has published, with something changed. */
function publishChanged(t: ExecutionContext, change: object): string {
	const stateDir = makeTempDir(t);
	publishAddress(stateDir, url);
	const path = join(stateDir, 'address');
	writeFileSync(path, JSON.stringify({...JSON.parse(readFileSync(path, 'utf8')), ...change}));
	return stateDir;
}

function startSleep(t: ExecutionContext): ChildProcess {
	const child = spawn('sleep', ['600'], {stdio: 'ignore'});
	t.teardown(() => child.kill('SIGKILL'));
	return child;
}

test('whoever listens is found by its state directory, and only its owner can read where', t => {
	const stateDir = makeTempDir(t);

	publishAddress(stateDir, url);

	t.deepEqual(readAddress(stateDir), {url, pid: process.pid});
	t.is(statSync(join(stateDir, 'address')).mode & 0o777, 0o600);
	t.deepEqual(readdirSync(stateDir), ['address']);
});

test('the next one replaces what a killed one has left', t => {
	const stateDir = publishChanged(t, {start_ticks: '1', url: 'http://127.0.0.1:1'});

	publishAddress(stateDir, url);

	t.deepEqual(readAddress(stateDir), {url, pid: process.pid});
});

test('after a withdrawal there is none, as before the first', t => {
	const stateDir = makeTempDir(t);
	t.is(readAddress(stateDir), null);
	publishAddress(stateDir, url);

	withdrawAddress(stateDir);
	withdrawAddress(stateDir);

	t.is(readAddress(stateDir), null);
});

test('one that was killed is not there any more, though its file is', async t => {
	const child = startSleep(t);
	const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
	const stateDir = publishChanged(t, {pid: child.pid, start_ticks: stat.split(') ')[1]?.split(' ')[19]});
	t.is(readAddress(stateDir)?.pid, child.pid);

	child.kill('SIGKILL');
	await once(child, 'exit');

	t.is(readAddress(stateDir), null);
});

const isNotBelieved = test.macro((t, change: object) => {
	t.is(readAddress(publishChanged(t, change)), null);
});

test('a pid that is a stranger’s by now is not believed', isNotBelieved, {start_ticks: '1'});
test('nor is one from before the machine was restarted', isNotBelieved, {boot_id: 'another'});
test('nor is what is no address', isNotBelieved, {url: 'nowhere'});

test('half a file is as good as none', t => {
	const stateDir = makeTempDir(t);
	writeFileSync(join(stateDir, 'address'), '{"url":');

	t.is(readAddress(stateDir), null);
});
