import {
	CommandInvalidError,
	type ErrorCode,
	InputBlockedError,
	InputUnavailableError,
	QueryInvalidError,
	SupervisorError,
} from '../lib/index.js';

/** HTTP statuses of all problems. */
export const statusByCode = {
	INVALID_REQUEST: 400,
	AUTHENTICATION_REQUIRED: 401,
	INVALID_TOKEN: 401,
	FORBIDDEN: 403,
	RESOURCE_NOT_FOUND: 404,
	METHOD_NOT_ALLOWED: 405,
	REQUEST_TIMEOUT: 408,
	CONFLICT: 409,
	PAYLOAD_TOO_LARGE: 413,
	UNSUPPORTED_MEDIA_TYPE: 415,
	RANGE_NOT_SATISFIABLE: 416,
	QUEUE_FULL: 429,
	HEADERS_TOO_LARGE: 431,
	INTERNAL_ERROR: 500,
	SERVICE_UNAVAILABLE: 503,
	INSUFFICIENT_STORAGE: 507,
} as const;

export type ProblemCode = keyof typeof statusByCode;

const internal = 'Something went wrong inside nohupd; its log has the details under this request id';

/** What each of the library's errors is over HTTP. Those that only a start can meet are bugs in a request. */
const codeByErrorCode: Readonly<Record<ErrorCode, ProblemCode>> = {
	command_invalid: 'INVALID_REQUEST',
	query_invalid: 'INVALID_REQUEST',
	process_not_found: 'RESOURCE_NOT_FOUND',
	process_ended: 'RESOURCE_NOT_FOUND',
	process_running: 'CONFLICT',
	idempotency_conflict: 'CONFLICT',
	queue_full: 'QUEUE_FULL',
	storage_full: 'INSUFFICIENT_STORAGE',
	state_dir_full: 'INSUFFICIENT_STORAGE',
	shutting_down: 'SERVICE_UNAVAILABLE',
	wait_aborted: 'INTERNAL_ERROR',
	not_ready: 'CONFLICT',
	input_unavailable: 'CONFLICT',
	input_blocked: 'CONFLICT',
	settings_invalid: 'INTERNAL_ERROR',
	platform_unsupported: 'INTERNAL_ERROR',
	bash_missing: 'INTERNAL_ERROR',
	state_dir_missing: 'INTERNAL_ERROR',
	state_dir_in_use: 'INTERNAL_ERROR',
	state_dir_unsafe: 'INTERNAL_ERROR',
	schema_too_new: 'INTERNAL_ERROR',
};

/** Headers that belong to a kind of problem. */
const headersByCode: Readonly<Partial<Record<ProblemCode, Readonly<Record<string, string>>>>> = {
	AUTHENTICATION_REQUIRED: {'www-authenticate': 'Bearer'},
	// RFC 6750 section 3.1.
	INVALID_TOKEN: {'www-authenticate': 'Bearer error="invalid_token"'},
	REQUEST_TIMEOUT: {connection: 'close'},
	PAYLOAD_TOO_LARGE: {connection: 'close'},
	QUEUE_FULL: {'retry-after': '1'},
	HEADERS_TOO_LARGE: {connection: 'close'},
	SERVICE_UNAVAILABLE: {connection: 'close', 'retry-after': '1'},
};

export interface ProblemDetails {
	/** The field of the body or the query that is wrong, as the client spelled it. */
	readonly field?: string | undefined;
	readonly headers?: Readonly<Record<string, string>> | undefined;
	/** How much of an input was taken before the rest was refused. */
	readonly takenBytes?: number | undefined;
	/** What went wrong underneath; only for the log. */
	readonly cause?: unknown;
}

/** Why a request is refused, in words for the client. */
export class Problem extends Error {
	override readonly name = 'Problem';
	readonly status: number;
	readonly field: string | undefined;
	readonly takenBytes: number | undefined;
	readonly headers: Readonly<Record<string, string>>;

	constructor(
		readonly code: ProblemCode,
		message: string,
		{field, headers, takenBytes, cause}: ProblemDetails = {},
	) {
		super(message, {cause});
		this.status = statusByCode[code];
		this.field = field;
		this.takenBytes = takenBytes;
		this.headers = {...headersByCode[code], ...headers};
	}

	/** The documented body of every error. Official clients read `error` or `message`: both say the same. */
	envelope(requestId: string): object {
		return {
			error: this.message,
			message: this.message,
			code: this.code,
			request_id: requestId,
			...(this.field === undefined ? {} : {field: this.field}),
			...(this.takenBytes === undefined ? {} : {taken_bytes: this.takenBytes}),
		};
	}
}

/** Any failure as a client may see it. What nobody expected becomes a 500 without details. */
export function toProblem(error: unknown): Problem {
	if (error instanceof Problem) {
		return error;
	}

	const code = error instanceof SupervisorError ? codeByErrorCode[error.code] : 'INTERNAL_ERROR';
	if (code === 'INTERNAL_ERROR') {
		return new Problem(code, internal, {cause: error});
	}

	const {message} = error as SupervisorError;
	return new Problem(code, message, {field: fieldOf(error), takenBytes: takenBytesOf(error), cause: error});
}

function fieldOf(error: unknown): string | undefined {
	const isAboutField = error instanceof CommandInvalidError || error instanceof QueryInvalidError;
	return isAboutField && error.field !== '' ? error.field : undefined;
}

function takenBytesOf(error: unknown): number | undefined {
	const isAboutInput = error instanceof InputBlockedError || error instanceof InputUnavailableError;
	return isAboutInput ? error.takenBytes : undefined;
}
