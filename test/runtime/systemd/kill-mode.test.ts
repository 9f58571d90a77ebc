import {chmodSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {findKillModeProblem, findService, type ServiceUnit} from '../../../runtime/systemd/kill-mode.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

const belongs = test.macro((t, membership: string, expected: ServiceUnit | null) => {
	t.deepEqual(findService(membership), expected);
});

const service = {name: 'nohupd.service', isUsers: false};

test('a service of the machine', belongs, '0::/system.slice/nohupd.service\n', service);
test('also from below its cgroup', belongs, '0::/system.slice/nohupd.service/supervisor\n', service);
test('a service of a user', belongs, '0::/user.slice/user-1000.slice/user@1000.service/app.slice/nohupd.service\n', {
	name: 'nohupd.service',
	isUsers: true,
});
test('version 1', belongs, '4:pids:/x.service\n1:name=systemd:/system.slice/nohupd.service\n', service);
test('both versions', belongs, '1:name=systemd:/\n0::/system.slice/nohupd.service\n', service);
test('a terminal is no service', belongs, '0::/user.slice/user-1000.slice/session-3.scope\n', null);
test(
	'neither is a terminal of a desktop',
	belongs,
	'0::/user.slice/user-1000.slice/user@1000.service/app.slice/term.scope\n',
	null,
);
test('a container', belongs, '0::/\n', null);
test('no cgroups at all', belongs, '', null);

test('where systemd cannot be asked, nothing is said', async t => {
	const directory = makeTempDir(t);
	writeFileSync(join(directory, 'systemctl'), '#!/bin/bash\nexit 1\n');
	chmodSync(join(directory, 'systemctl'), 0o755);

	t.is(await findKillModeProblem({PATH: directory}), null);
});
