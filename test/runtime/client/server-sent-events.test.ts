import {Readable} from 'node:stream';
import test from 'ava';
import {parseEvents} from '../../../runtime/client/server-sent-events.js';

const stream = ':\n\nid: 1\nevent: said\ndata: {"a":"größe 🙂"}\n\ndata: two\ndata: lines\n\nid: 2\ndata: cut off';
const events = [
	{id: '1', type: 'said', data: '{"a":"größe 🙂"}'},
	{id: undefined, type: 'message', data: 'two\nlines'},
];

test('events are the same whatever their bytes are cut into', async t => {
	const bytes = Buffer.from(stream);
	for (let size = 1; size <= bytes.length; size++) {
		const count = Math.ceil(bytes.length / size);
		const chunks = Array.from({length: count}, (_, index) => bytes.subarray(index * size, (index + 1) * size));

		t.deepEqual(await Readable.from(parseEvents(Readable.from(chunks))).toArray(), events);
	}
});
