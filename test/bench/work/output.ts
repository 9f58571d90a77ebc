import type {Runner} from '../runner.js';

/** A command that writes much, with nobody reading. */
export async function measureOutput(runner: Runner, {bytes}: {bytes: number}) {
	// The first one compiles what the others run: 20 ms that are no part of 1 GB.
	await (await runner.start('true')).ended();
	const cpuBefore = runner.cpuMs();
	const begin = performance.now();
	const {ended} = await runner.start(`head -c ${bytes} /dev/zero`);
	await ended();
	await runner.settled();
	const seconds = (performance.now() - begin) / 1000;
	return {seconds, cpuPercent: (runner.cpuMs() - cpuBefore) / (seconds * 10)};
}
