import type {ExecutionContext} from 'ava';
import {boxNode, boxProgram, SystemdBox, testWithSystemd} from '../helpers/systemd-box.js';

/** nohupd installed as the README says, started, and a token for it. */
async function installed(t: ExecutionContext, settings = ''): Promise<{box: SystemdBox; token: string}> {
	const box = await SystemdBox.boot(t);
	await box.run(boxNode, boxProgram, 'service', 'install');
	if (settings !== '') {
		await box.write('/etc/systemd/system/nohupd.service.d/test.conf', settings);
	}

	await box.run('systemctl', 'enable', '--now', 'nohupd.socket', 'nohupd.service');
	const token = await box.run(boxNode, boxProgram, 'token', '--state-dir', '/var/lib/nohupd');
	return {box, token};
}

testWithSystemd('as a service it is ready when systemd says so, without root, each command in a cgroup', async t => {
	const {box, token} = await installed(t);
	t.log(await box.ask('GET', '/health', token));
	t.log(await box.run('systemctl', 'status', 'nohupd'));
	t.log(await box.run('journalctl', '-u', 'nohupd'));
});
