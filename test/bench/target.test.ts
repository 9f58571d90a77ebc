import test from 'ava';
import {atLeast, atMost, compare, judge, own, times} from './target.js';

test('a target is met on its own side only', t => {
	const medians = {library: 2, spawn: 4};

	t.deepEqual(judge(atMost(0.5, times('library', 'spawn')), medians), {
		text: 'at most 0.5 × spawn',
		value: 0.5,
		isMet: true,
	});
	t.like(judge(atLeast(3, own('library', '/s')), medians), {isMet: false});
	t.like(judge(compare(own('spawn', '/s')), medians), {value: 4, isMet: null});
	t.is(judge(atMost(1, times('library', 'pm2')), medians), null);
});
