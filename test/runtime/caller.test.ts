import test from 'ava';
import type {JWTPayload} from 'jose';
import {assertAllowed, readCaller, stranger} from '../../runtime/caller.js';
import {Problem} from '../../runtime/problem.js';
import {scopes} from '../../runtime/scope.js';
import {TokenInvalidError} from '../../runtime/verifier.js';

test('a token without a scope allows everything, and names who carries it', t => {
	t.deepEqual(readCaller({sub: 'me'}), {subject: 'me', scopes: new Set(scopes), isLimitedToOwn: false});
	t.is(readCaller({}).subject, null);
	t.is(readCaller({sub: ''}).subject, null);
});

const allows = test.macro((t, scope: string, expected: readonly string[]) => {
	t.deepEqual([...readCaller({scope}).scopes], expected);
});

test('a scope allows its words', allows, 'kill read', ['read', 'kill']);
test('words of others are passed over', allows, 'openid  read:mail read', ['read']);
test('an empty scope allows nothing', allows, '', []);
test('no word implies another', allows, 'admin', ['admin']);
test('words are not found within words', allows, 'ready READ', []);

const refuses = test.macro((t, claims: Record<string, unknown>, reason: string) => {
	t.like(
		t.throws(() => readCaller(claims as JWTPayload), {instanceOf: TokenInvalidError}),
		{reason},
	);
});

test('refuses a scope that is no text', refuses, {scope: ['read']}, 'SCOPE_INVALID');
test('refuses a scope of null', refuses, {scope: null}, 'SCOPE_INVALID');
test('refuses own that is neither true nor false', refuses, {sub: 'me', own: 'true'}, 'OWN_INVALID');
test('refuses own of nobody', refuses, {own: true}, 'OWN_INVALID');
test('refuses own of an empty name', refuses, {own: true, sub: ''}, 'OWN_INVALID');
test('refuses a subject that is no text', refuses, {sub: 5}, 'SUBJECT_INVALID');
test('refuses a subject that the store could not tell from another', refuses, {sub: '\ud800'}, 'SUBJECT_INVALID');
test('refuses a subject too long to be an owner', refuses, {sub: 'x'.repeat(4097)}, 'SUBJECT_INVALID');

test('what is not allowed is told with the word that is lacking', t => {
	const error = t.throws(() => assertAllowed(readCaller({scope: 'read'}), 'start'), {instanceOf: Problem});

	t.like(error, {
		status: 403,
		code: 'FORBIDDEN',
		message: 'This token may not start commands: its scope lacks start',
		headers: {'www-authenticate': 'Bearer error="insufficient_scope", scope="start"'},
	});
});

test('a token for its own has no say in what everybody shares', t => {
	const caller = readCaller({sub: 'me', own: true});

	t.throws(() => assertAllowed(caller, 'admin'), {message: /only for what its subject started/});
	t.notThrows(() => assertAllowed(caller, 'kill'));
});

test('a stranger may do nothing', t => {
	for (const scope of scopes) {
		t.throws(() => assertAllowed(stranger, scope), {instanceOf: Problem});
	}
});
