import test from 'ava';
import type {Page, ShownProcess} from '../../../runtime/client/answers.js';
import type {ListQuery} from '../../../runtime/client/daemon-client.js';
import {findProcess, type Preference} from '../../../runtime/client/find-process.js';
import {anId, aShownProcess} from '../../helpers/shown-process.js';

/** Pages of one: all of them have to be read. */
function listing(...processes: ShownProcess[]) {
	return {
		list: async ({name, status, cursor = '0'}: ListQuery): Promise<Page> => {
			const wanted = processes.filter(
				process => [undefined, process.name].includes(name) && [undefined, process.status].includes(status),
			);
			const at = Number(cursor);
			return name === undefined && at + 1 < wanted.length
				? {processes: wanted.slice(at, at + 1), next_cursor: String(at + 1)}
				: {processes: wanted.slice(at)};
		},
	};
}

const client = listing(
	aShownProcess({process_id: anId('abc1'), name: 'build'}),
	aShownProcess({process_id: anId('abc2'), name: 'test', status: 'failed'}),
	aShownProcess({process_id: anId('def1'), name: 'test', status: 'killed'}),
	aShownProcess({process_id: anId('e1'), name: 'abc2'}),
	aShownProcess({process_id: anId('f1'), name: '-f'}),
	aShownProcess({process_id: anId('71'), name: 'again', status: 'completed'}),
	aShownProcess({process_id: anId('72'), name: 'again', status: 'queued'}),
	aShownProcess({process_id: anId('73'), name: 'again', status: 'killed'}),
	aShownProcess({process_id: anId('81'), name: 'over', status: 'completed'}),
	aShownProcess({process_id: anId('82'), name: 'over', status: 'completed'}),
	aShownProcess({process_id: anId('91'), name: 'twin'}),
	aShownProcess({process_id: anId('92'), name: 'twin'}),
);

const finds = test.macro(async (t, meant: string, id: string, preference: Preference = 'live') => {
	t.is(await findProcess(client, meant, preference), id);
});

test('a whole id is taken as it is', finds, anId('1234'), anId('1234'));
test('the beginning of an id', finds, 'proc_abc1', anId('abc1'));
test('the same without proc_', finds, 'd', anId('def1'));
test('a name', finds, 'build', anId('abc1'));
test('a name goes before the beginning of an id', finds, 'abc2', anId('e1'));
test('a name that looks like a flag', finds, '-f', anId('f1'));
test('of several with one name, the only one that has not ended', finds, 'again', anId('72'));
test('also for whoever only looks', finds, 'again', anId('72'), 'newest');
test('of several that have ended, the newest for whoever only looks', finds, 'over', anId('81'), 'newest');

const rejects = test.macro(async (t, meant: string, message: RegExp, preference: Preference = 'live') => {
	const {message: said} = (await t.throwsAsync(findProcess(client, meant, preference))) ?? {message: ''};
	t.regex(said, message);
});

test('a beginning of several ids names them', rejects, 'abc', /^"abc" can be .*:\n {2}proc_abc1.*build\n {2}proc_abc2/);
test(
	'a name of several names them',
	rejects,
	'test',
	/^"test" can be .*:\n.*proc_abc2\w+ {2}failed {2}test\n.*proc_def1/,
);
test(
	'a name of two that live names them',
	rejects,
	'twin',
	/^"twin" can be .*; give the id of one:\n.*proc_91.*\n.*proc_92/,
);
test('also where somebody only looks', rejects, 'twin', /proc_91.*\n.*proc_92/, 'newest');
test('a name of two that have ended as well', rejects, 'over', /proc_81.*\n.*proc_82/);
test(
	'one that lives is not preferred to those that can be forgotten',
	rejects,
	'again',
	/proc_71.*\n.*proc_72/,
	'none',
);
test('what every id begins with is a beginning of all', rejects, 'proc_', /^"proc_" can be .*:\n {2}proc_abc1/);
test('nobody of that name', rejects, 'nobody', /^No process .* "nobody"$/);
test('nobody of that id', rejects, 'proc_99', /^No process .* "proc_99"$/);
test('nothing is no beginning', rejects, '', /^No process .* ""$/);
test('what is no name cannot act upon the terminal', rejects, '\u001b[2J', /\\x1b\[2J/);

test('of many only some are named', async t => {
	const many = listing(...Array.from({length: 30}, (_, index) => aShownProcess({process_id: anId(`a${index}`)})));

	const error = await t.throwsAsync(findProcess(many, 'a', 'live'));

	t.is(error?.message.split('\n').length, 12);
	t.true(error?.message.endsWith('…'));
});
