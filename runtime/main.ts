#!/usr/bin/env node
/** The program. Nothing is imported before we know that it can run here. */

const oldestNode = [20, 19] as const;

function findObstacle(): string | null {
	if (process.platform !== 'linux') {
		return `nohupd runs on Linux only; this is ${process.platform}`;
	}

	const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
	return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
		? null
		: `nohupd needs Node.js ${oldestNode.join('.')} or later; this is ${process.versions.node}`;
}

async function main(): Promise<void> {
	const obstacle = findObstacle();
	if (obstacle !== null) {
		fail(obstacle);
	}

	const {run} = await import('./cli.js');
	try {
		await run(process.argv.slice(2));
	} catch (error) {
		const {describeFailure} = await import('./failure.js');
		fail(describeFailure(error));
	}
}

function fail(sentence: string): never {
	process.stderr.write(`${sentence}\n`);
	// A command whose exit code belongs to another program has chosen one for itself.
	process.exit(process.exitCode ?? 1);
}

await main();

export {};
