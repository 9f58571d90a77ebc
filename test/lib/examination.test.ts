import {chmodSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {examineHost, type Finding} from '../../lib/index.js';
import {cgroupOf, openSupervisor} from '../helpers/state-dir.js';
import {makeTempDir} from '../helpers/temp-dir.js';

async function examine(stateDir: string, about: string): Promise<Finding | undefined> {
	return (await examineHost(stateDir)).find(finding => finding.about === about);
}

test('a host that runs these tests can do what is needed', async t => {
	const findings = await examineHost(makeTempDir(t));

	t.deepEqual(
		findings.map(({about}) => about),
		['bash', 'ps', 'containment', 'sqlite', 'state directory', 'disk', 'clock'],
	);
	t.deepEqual(
		findings.filter(({level}) => level === 'problem'),
		[],
	);
	t.regex(findings[0]?.message ?? '', /\/bash$/);
	t.regex(findings[3]?.message ?? '', /^3\.\d/);
});

test('nothing is made', async t => {
	const stateDir = join(makeTempDir(t), 'state');

	const finding = await examine(stateDir, 'state directory');

	t.like(finding, {level: 'ok', message: `${stateDir} is not there yet: it is made by the first start`});
	t.deepEqual(readdirSync(join(stateDir, '..')), []);
});

test('a directory that others may write is a problem', async t => {
	const stateDir = join(makeTempDir(t), 'state');
	mkdirSync(stateDir);
	chmodSync(stateDir, 0o777);

	t.like(await examine(stateDir, 'state directory'), {
		level: 'problem',
		message: `${stateDir} may be written by others (mode 777)`,
	});
});

test('a clock that was set back is told', async t => {
	const stateDir = makeTempDir(t);
	const tomorrow = Date.now() / 1000 + 86_400;
	writeFileSync(join(stateDir, 'owner'), '');
	utimesSync(join(stateDir, 'owner'), tomorrow, tomorrow);

	t.like(await examine(stateDir, 'clock'), {level: 'warning'});
	rmSync(join(stateDir, 'owner'));
	t.like(await examine(stateDir, 'clock'), {level: 'ok'});
});

test('a supervisor at work is not disturbed', async t => {
	const supervisor = await openSupervisor(t);
	const {containment} = supervisor.state();
	const {processId} = await supervisor.start({command: 'sleep 600'});
	const before = readdirSync(supervisor.stateDir);

	const finding = await examine(supervisor.stateDir, 'containment');

	t.is(finding?.level, containment === 'cgroup' ? 'ok' : 'warning');
	t.deepEqual(readdirSync(supervisor.stateDir), before);
	t.is((await supervisor.start({command: 'true'})).containment, containment);
	t.is((await supervisor.get(processId)).status, 'running');
	t.not(cgroupOf(supervisor.stateDir), cgroupOf(join(supervisor.stateDir, 'doctor')));
});
