/** Another object that does what `original` does, but for the given methods. */
export function wrap<T extends object>(original: T, methods: Partial<T>): T {
	return new Proxy(original, {
		get(target, name) {
			const value: unknown = Reflect.get(Object.hasOwn(methods, name) ? methods : target, name);
			// Private fields are reached only through the object that has them.
			return typeof value === 'function' ? value.bind(target) : value;
		},
	});
}
