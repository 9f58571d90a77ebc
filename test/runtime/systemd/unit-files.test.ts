import {spawnSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {makeUnitFiles, ownProgram, readSystemdVersion, type UnitFacts} from '../../../runtime/systemd/unit-files.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

/** Of 10; the unit says what it is made of. */
const maxExposure = 4;

const facts: UnitFacts = {program: ownProgram(), user: 'nohupd', version: readSystemdVersion()};

/** What the service sets, in order. */
function settingsOf(changes: Partial<UnitFacts> = {}): string[] {
	const [service] = makeUnitFiles({...facts, ...changes});
	return (service?.text ?? '').split('\n').filter(line => /^\w+=/.test(line));
}

function writeUnits(t: ExecutionContext, changes: Partial<UnitFacts> = {}): string[] {
	const directory = makeTempDir(t);
	return makeUnitFiles({...facts, ...changes}).map(({name, text}) => {
		writeFileSync(join(directory, name), text);
		return join(directory, name);
	});
}

test('the program, its user and what keeps commands alive', t => {
	const settings = settingsOf({program: ['/usr/bin/node', '/srv/main.js'], user: 'agent'});

	for (const setting of [
		'ExecStart=/usr/bin/node /srv/main.js serve',
		'User=agent',
		'KillMode=process',
		'Delegate=yes',
		'Type=notify',
		'OOMPolicy=continue',
	]) {
		t.true(settings.includes(setting), setting);
	}
});

test("a user's own has no user, and what commands may do is not changed", t => {
	const settings = settingsOf({user: null});

	t.true(settings.includes('KillMode=process'));
	t.deepEqual(
		settings.filter(line => /^(User|Protect|NoNew|Private|StateDirectory|Capability)/.test(line)),
		[],
	);
});

test('a later systemd opens the socket, and listens to nobody else', t => {
	const later = (version: number, user: string | null) =>
		settingsOf({version, user}).filter(line => /^(NotifyAccess|OpenFile|DelegateSubgroup)=/.test(line));

	t.deepEqual(later(253, 'nohupd'), ['NotifyAccess=all']);
	t.deepEqual(later(254, 'nohupd'), [
		'NotifyAccess=all',
		'NotifyAccess=main',
		'OpenFile=/run/systemd/notify:notify',
		'DelegateSubgroup=supervisor',
	]);
	t.deepEqual(later(253, null), ['NotifyAccess=all']);
	t.deepEqual(later(254, null), ['NotifyAccess=all', 'DelegateSubgroup=supervisor']);
});

test('a path is one word for systemd, whatever is in it', t => {
	const settings = settingsOf({program: ['/a b/50%/$HOME/"node"']});

	t.true(settings.includes('ExecStart="/a b/50%%/$$HOME/\\"node\\"" serve'));
});

const analyze = spawnSync('systemd-analyze', ['--version']).error === undefined ? test : test.skip;

analyze('systemd finds nothing wrong with the units (systemd-analyze verify)', t => {
	for (const [user, scope] of [
		['nohupd', '--system'],
		[null, '--user'],
	] as const) {
		// The user's systemd looks for a place of its own.
		const runtimeDir = makeTempDir(t);
		mkdirSync(join(runtimeDir, 'systemd'));
		const {status, stderr} = spawnSync('systemd-analyze', [scope, 'verify', ...writeUnits(t, {user})], {
			encoding: 'utf8',
			env: {...process.env, XDG_RUNTIME_DIR: runtimeDir},
		});

		t.deepEqual([status, stderr], [0, ''], scope);
	}
});

analyze('a service of the machine is as exposed as its unit explains, and no more', t => {
	const [service = ''] = writeUnits(t);

	const {stdout} = spawnSync('systemd-analyze', ['security', '--offline=yes', '--no-pager', service], {
		encoding: 'utf8',
	});

	const exposure = Number(/Overall exposure level for .*: ([\d.]+)/.exec(stdout)?.[1]);
	t.true(exposure > 0 && exposure <= maxExposure, stdout);
});
