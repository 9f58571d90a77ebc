import test from 'ava';
import {Metrics} from '../../runtime/metrics.js';
import {openSupervisor} from '../helpers/state-dir.js';

/** Its lines, without comments. */
async function samples(metrics: Metrics): Promise<string[]> {
	const {text} = await metrics.render();
	return text.split('\n').filter(line => line !== '' && !line.startsWith('#'));
}

test('what happened before anybody asked is counted too, by status and reason', async t => {
	const supervisor = await openSupervisor(t, {containment: 'session'});
	const metrics = new Metrics(supervisor);
	for (const command of ['printf 12345', 'exit 3', 'printf 123 >&2']) {
		const {processId} = await supervisor.start({command});
		await supervisor.wait(processId);
	}

	const {processId} = await supervisor.start({command: 'sleep 1000'});
	await supervisor.start({command: 'sleep 1000'});
	await supervisor.kill(processId);

	const found = await samples(metrics);
	for (const line of [
		'nohupd_processes{status="running"} 1',
		'nohupd_processes{status="queued"} 0',
		'nohupd_starts_total 5',
		'nohupd_start_latency_seconds_count 5',
		'nohupd_processes_ended_total{status="completed",reason="exited"} 2',
		'nohupd_processes_ended_total{status="failed",reason="exited"} 1',
		'nohupd_processes_ended_total{status="killed",reason="request"} 1',
		'nohupd_process_duration_seconds_count 4',
		'nohupd_kills_total{containment="session",reason="request"} 1',
		'nohupd_output_bytes_total{stream="stdout"} 5',
		'nohupd_output_bytes_total{stream="stderr"} 3',
		'nohupd_output_dropped_bytes_total{stream="stdout"} 0',
		'nohupd_recovered_processes 0',
	]) {
		t.true(found.includes(line), `${line} is not in\n${found.join('\n')}`);
	}

	t.true(found.some(line => line.startsWith('nodejs_eventloop_lag_p99_seconds ')));
});

test('asked again it goes on counting', async t => {
	const supervisor = await openSupervisor(t, {containment: 'session'});
	const metrics = new Metrics(supervisor);
	await metrics.render();
	const {processId} = await supervisor.start({command: 'true'});
	await supervisor.wait(processId);

	await metrics.render();
	const found = await samples(metrics);

	t.true(found.includes('nohupd_starts_total 1'));
});

test('two daemons in one program count for themselves', async t => {
	const [one, other] = [await openSupervisor(t), await openSupervisor(t)];
	const [metrics, others] = [new Metrics(one), new Metrics(other)];
	const {processId} = await one.start({command: 'true'});
	await one.wait(processId);

	t.true((await samples(metrics)).includes('nohupd_starts_total 1'));
	t.true((await samples(others)).includes('nohupd_starts_total 0'));
});
