import {createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {Duplex} from 'node:stream';
import {respondToClientError} from './client-error.js';
import type {Dispatcher} from './dispatcher.js';
import {CannotError} from './failure.js';

/** How long strangers may keep us waiting, in milliseconds. */
export interface Patience {
	/** For the headers of a request, from its first byte. */
	readonly headersMs: number;
	/** For the whole of it. */
	readonly requestMs: number;
	/** How often connections are looked at. */
	readonly lookMs: number;
	/** How long a connection is kept without a request. Longer than a proxy's usual 60 seconds: who closes
	 * first must be the one that sends, or a request is lost in between. */
	readonly idleMs: number;
}

const defaultPatience: Patience = {headersMs: 10_000, requestMs: 25_000, lookMs: 5000, idleMs: 65_000};

const maxHeaderBytes = 16_384;

/** Where to listen: an address of our own, or a listening socket that was handed to us. */
export type Place = {readonly host: string; readonly port: number} | {readonly fd: number};

/** HTTP on one address. */
export class Server {
	readonly #http: HttpServer;
	/** Answers that are being made. */
	readonly #open = new Set<ServerResponse>();
	/** Connections on which nothing was asked yet. */
	readonly #fresh = new Set<Duplex>();
	#onIdle: () => void = () => undefined;

	constructor(
		private readonly dispatcher: Dispatcher,
		patience: Patience = defaultPatience,
	) {
		const handle = (request: IncomingMessage, response: ServerResponse) => this.#handle(request, response);
		this.#http = createServer({
			maxHeaderSize: maxHeaderBytes,
			headersTimeout: patience.headersMs,
			requestTimeout: patience.requestMs,
			connectionsCheckingInterval: patience.lookMs,
			keepAliveTimeout: patience.idleMs,
			// Node's own answers have no request id: the dispatcher looks at the header.
			requireHostHeader: false,
		});
		this.#http.on('connection', (socket: Duplex) => this.#greet(socket));
		this.#http.on('request', handle);
		this.#http.on('checkContinue', handle);
		this.#http.on('checkExpectation', handle);
		this.#http.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => this.#onClientError(error, socket));
	}

	/** Settles with the address once requests are accepted. Rejects with the system's error. */
	listen(place: Place): Promise<AddressInfo> {
		return new Promise((resolve, reject) => {
			this.#http.once('error', reject);
			this.#http.listen(place, () => {
				this.#http.off('error', reject);
				const address = this.#http.address();
				if (address === null || typeof address === 'string') {
					this.#http.close();
					reject(new CannotError('nohupd listens on TCP only: name an address and a port in the socket unit'));
				} else {
					resolve(address);
				}
			});
		});
	}

	/**
	 * Accepts nothing more, and settles when all that was accepted is answered, or after `timeoutMs`. Whoever was let in
	 * at the last moment is about to ask: cut off, it could not tell whether its command runs.
	 */
	async drain(timeoutMs: number): Promise<void> {
		this.dispatcher.close();
		this.#http.close();
		this.#http.closeIdleConnections();
		if (this.#isIdle) {
			return;
		}

		await new Promise<void>(resolve => {
			const timer = setTimeout(resolve, timeoutMs);
			this.#onIdle = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}

	/** Ends all connections, answered or not. */
	destroy(): void {
		this.#http.close();
		this.#http.closeAllConnections();
	}

	get #isIdle(): boolean {
		return this.#open.size === 0 && this.#fresh.size === 0;
	}

	#greet(socket: Duplex): void {
		this.#fresh.add(socket);
		socket.once('close', () => this.#leave(this.#fresh, socket));
	}

	#leave<T>(set: Set<T>, member: T): void {
		set.delete(member);
		if (this.#isIdle) {
			this.#onIdle();
		}
	}

	#handle(request: IncomingMessage, response: ServerResponse): void {
		this.#open.add(response);
		this.#fresh.delete(request.socket);
		response.once('close', () => this.#leave(this.#open, response));
		void this.dispatcher.dispatch(request, response);
	}

	#onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
		// A whole request was read from this connection and waits for its answer: ours would be taken for it.
		const isAnswering = [...this.#open].some(
			({req, headersSent}) => req.socket === socket && (req.complete || headersSent),
		);
		if (isAnswering) {
			socket.destroy();
			return;
		}

		respondToClientError(error, socket);
	}
}
