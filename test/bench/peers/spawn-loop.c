/*
 * spawn-loop COUNT IN_FLIGHT: runs `bash -c true` so often, so many at a time, by nothing but posix_spawn(3) and wait(2).
 * Nobody who starts programs can be faster than that. Prints its figures as JSON.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static posix_spawn_file_actions_t to_nowhere;

static double now_ms(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* How long the call takes, in milliseconds: vfork(2) lets us go on when the child has become bash. */
static double start(void)
{
	char *words[] = {"bash", "-c", "true", NULL};
	pid_t pid;
	double begin = now_ms();
	if (posix_spawnp(&pid, "bash", &to_nowhere, NULL, words, environ) != 0) {
		exit(1);
	}

	return now_ms() - begin;
}

static int by_size(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;
	return (difference > 0) - (difference < 0);
}

static double cpu_ms(void)
{
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[1]) : 0;
	int in_flight = argc > 2 ? atoi(argv[2]) : 0;
	if (count < 1 || in_flight < 1) {
		return 2;
	}

	double *calls = malloc(count * sizeof *calls);
	posix_spawn_file_actions_init(&to_nowhere);
	posix_spawn_file_actions_addopen(&to_nowhere, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&to_nowhere, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&to_nowhere, 2, "/dev/null", O_WRONLY, 0);

	double begin = now_ms();
	int running = 0;
	for (int started = 0; started < count || running > 0;) {
		if (started < count && running < in_flight) {
			calls[started++] = start();
			running++;
		} else if (wait(NULL) > 0) {
			running--;
		}
	}

	double took = now_ms() - begin;
	qsort(calls, count, sizeof *calls, by_size);
	double median = calls[count / 2];
	printf("{\"perSecond\": %f, \"blockedMs\": %f, \"runningMs\": %f, \"cpuMs\": %f}\n", count * 1e3 / took, median, median,
	       cpu_ms() / count);
	return 0;
}
