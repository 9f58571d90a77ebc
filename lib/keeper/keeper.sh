#!/usr/bin/env bash
# The keeper forks commands on the supervisor's word and outlives it.
#
#   keeper.sh STATE_DIR                 one process id a line on standard input
#
# For every id the keeper forks a shim; the shim takes the claim, forks the command, waits for it
# and writes how it ended into the process's record. When standard input ends, the supervisor
# is gone, and the keeper becomes the dead man's switch: it holds the deadlines, finishes the kills that were under
# way, and ends what is not to stay behind, until nothing of that is left to do.
#
# Only builtins run here: a program costs as much as the command itself, and would fail on the
# machine that is short of memory, processes or disk.
#
# A record has three lines of fixed width (63, 35 and 27 bytes), each filled in place by one write(2):
#   S pid ticks shim session microseconds boot   started: by the command's own process, before exec
#   E code centiseconds microseconds   ended: by the shim; the code is --- if it never started
#   K centiseconds                     SIGTERM was sent at the deadline: by the dead man's switch
#   R centiseconds grace               a kill, and SIGTERM was sent: by the supervisor, for the dead man's switch
#   T centiseconds grace               the same of a deadline
#   r t                                the same before SIGTERM; whoever sends it writes R or T
# ticks and centiseconds count from boot, microseconds from 1970; grace is in centiseconds; boot begins the boot id.

# Bash reads a script while it runs it. A function is read as a whole, so an upgrade of the
# package cannot change a running keeper.
main() {
	state=$1
	umask=$(umask)      # the command's; what we write ourselves is nobody else's to read
	umask 077
	LC_ALL=C            # lengths are bytes; not exported
	set -m              # every job its own process group, SIGINT and SIGQUIT at their default
	exec 2>/dev/null    # bash announces each "Killed" job
	close_inherited
	read -r boot </proc/sys/kernel/random/boot_id
	boot=${boot:0:8}
	read_self
	self="$BASHPID $start_ticks $boot"
	printf '%s\n' "$self" >"$state/keeper"

	local id
	while IFS= read -r id; do
		shim "$id" &
		# Without this bash's job table makes each launch slower than the one before.
		disown
	done
	hold_deadlines
}

# What our parent's parent left open for us (a socket of systemd's, a pipe of the agent's) would be open in
# every command. Only this script stays: bash reads it at 255, or below where that is taken, and closes it on exec.
close_inherited() {
	local descriptor
	for descriptor in /proc/self/fd/*; do
		descriptor=${descriptor##*/}
		[[ $descriptor -le 2 || /proc/self/fd/$descriptor -ef ${BASH_SOURCE[0]} ]] || exec {descriptor}>&-
	done
}

shim() {
	local run=$state/runs/$1 record=$state/records/$1 child code input='' leash=''
	# The claim: O_CREAT|O_EXCL by a builtin. Whoever comes second stops here, so an id may be
	# handed out again after a crash, to this keeper or to another, and still runs once.
	read_self
	set -C
	printf '%s %s %s\n' "$BASHPID" "$start_ticks" "$boot" >"$run/claim" || exit 0
	set +C
	[[ ! -f $run/input ]] || open_input

	set -m      # a subshell starts without it: the command gets a group apart from the shim's
	command_process "$@" &
	child=$!
	[[ -z $input ]] || exec {input}<&-     # who reads is to be the command alone
	# Under job control wait returns when the command is merely stopped, and wait -f, which does not, can go
	# round for ever on a job that it has already freed ("wait_for: No record of process", bash 5.2).
	set +m
	wait "$child"
	code=$?
	# Stopped before that: this status is not its end.
	while ((code > 128)) && is_child "$child"; do
		pause 0.1
		wait "$child"
		code=$?
	done
	until record_end; do
		is_record || exit 0
		pause 1         # a copy-on-write file system can be too full even for this
	done
	exit 0
}

# Standard input for a command that asked for it: a pipe with a name, which any agent can write into. Its end must
# come when somebody closes it, not when an agent dies: so a holder keeps it open for writing. To kill the holder is
# to close the input; when the shim has gone, the holder goes too.
open_input() {
	local mkfifo both out
	input=failed
	read -r mkfifo <"$run/input"
	"$mkfifo" "$run/stdin" || return
	# Once it is open for both, neither end waits for the other.
	exec {both}<>"$run/stdin" && exec {out}>"$run/stdin" || return
	exec {leash}> >(hold_input) || return
	read_stat "$!" && printf '%s %s %s\n' "$!" "$start_ticks" "$boot" >"$run/holder" || return
	exec {input}<"$run/stdin" {both}>&- {out}>&-
}

# Has the pipe's end in $out, and the shim's leash as standard input.
hold_input() {
	exec {both}>&-
	read -r
}

# Becomes the command. What the command must not see is undone here: our umask, our descriptors
# (bash closes its own on exec), our variables (none is exported).
command_process() {
	local directory='' cgroup=''
	exec </dev/null >>"$run/stdout" 2>>"$run/stderr" || exit 126
	[[ -z $input ]] || exec <&"$input" {input}<&- {leash}>&- || exit 126
	# Written by the supervisor (specification.ts). It sets directory, cgroup and the positional
	# parameters (name, program, arguments), and defines environment().
	# shellcheck source=/dev/null
	. "$run/spec" || exit 126
	cd -- "$directory" || exit 126
	unset OLDPWD
	read_self
	# Before exec: so a pid in a record can never be mistaken for a later stranger's.
	printf 'S %7s %11s %7s %7s %16s %8s' \
		"$BASHPID" "$start_ticks" "$parent" "$$" "${EPOCHREALTIME/[.,]/}" "$boot" 1<>"$record" || exit 126
	# After the record, since the kernel may take 10 ms for it; before exec, so that nothing is ever outside.
	[[ -z $cgroup ]] || printf 0 >"$cgroup/cgroup.procs" || never_started
	umask "$umask"
	# From here on any of our variables may be overwritten: only positional parameters are safe.
	environment 2>/dev/null     # bash warns of a locale that is not installed
	exec -a "$1" -- "${@:2}"
}

# The cgroup was removed under us. What is not contained must not run, and must not look as if it had.
never_started() {
	printf '%63s' '' 1<>"$record"
	exit 126
}

# A command may have removed it, or put a link in its place that would have us write into another file.
is_record() {
	[[ -f $record && ! -h $record ]]
}

record_end() {
	local started uptime
	is_record || return 1
	read -r uptime _ </proc/uptime
	{
		# Reading the first line leaves the offset at the second. What did not write the first
		# never ran: then the exit code is ours, not the command's.
		IFS= read -r started <&3
		[[ $started == S* ]] || code=---
		printf 'E %3s %12s %16s' "$code" "${uptime/./}" "${EPOCHREALTIME/[.,]/}" >&3
	} 3<>"$record"
}

# Ends what is overdue, or was to be killed (SIGTERM, grace period, SIGKILL), while no supervisor lives. The next
# supervisor brings a keeper of its own, which writes its name over ours: then we leave.
hold_deadlines() {
	local owner id now began looked kill_at
	local -A timeout=() grace=() leftover=() cgroup=() carried=()
	read -r now _ </proc/uptime
	now=${now/./}
	began=$now looked=$((now - 500))
	set +m
	for id in "$state"/records/*; do
		read_limits "${id##*/}"
	done
	while ((${#timeout[@]})); do
		pause 1
		# A command may have put a FIFO there, which nobody ever opens at its other end.
		[[ ! -f $state/keeper ]] || read -r owner <"$state/keeper"
		[[ $owner == "$self" ]] || return
		read -r now _ </proc/uptime
		now=${now/./}
		for id in "${!timeout[@]}"; do
			hold_deadline "$id" || unset "timeout[$id]" "grace[$id]" "leftover[$id]" "cgroup[$id]"
		done
	done
}

# The first line of a specification: "# nohupd 2 TIMEOUT GRACE LEFTOVER [CGROUP]", in centiseconds, 0 for no
# timeout. LEFTOVER is keep or kill; version 1 did not have it.
read_limits() {
	local mark version limit patience policy place
	read_record "$1" || return
	[[ -f $state/runs/$1/spec ]] && read -r _ mark version limit patience policy place <"$state/runs/$1/spec"
	[[ $mark == nohupd && $version == [12] ]] || return
	# A command may have written anything there: what is no number would be evaluated.
	[[ $limit:$patience =~ ^[0-9]+:[0-9]+$ ]] || return
	[[ $version == 2 ]] || place=$policy${place:+ $place} policy=keep
	grace[$1]=$patience
	((limit > 0)) || [[ $policy == kill ]] || read_stop "$1" || return
	cgroup[$1]=$place
	[[ $ended != E* ]] || has_leftover "$1" || return
	leftover[$1]=$policy
	timeout[$1]=$limit
}

# Fails when there is nothing left to hold.
hold_deadline() {
	local order
	read_record "$1" || return
	if [[ $started != S* ]]; then
		# Either its shim is on the way, or nobody ever will be. One that we have only just forked may
		# need its time to take the claim.
		if [[ -f $state/runs/$1/claim ]] && read -r pid ticks _ <"$state/runs/$1/claim"; then
			[[ $ended != E* ]] && is_alive "$pid" "$ticks"
		else
			((now < began + 1000))
		fi
	elif [[ $boot_then != "$boot" ]]; then
		return 1
	elif has_ended && ! has_leftover "$1"; then
		return 1
	elif read_stop "$1"; then
		if ((now >= kill_at)); then
			signal_tree "$1" KILL
		elif [[ $stopped == [rt]* ]]; then
			ask "$1" "${stopped^}"
		fi
	elif [[ ${leftover[$1]} == kill ]] && has_ended; then
		signal_tree "$1" KILL
	elif ((timeout[$1] > 0 && now >= ticks + timeout[$1])); then
		printf -v order 'K %12s' "$now"
		ask "$1" "$order"
	fi
}

# Fails where nobody has stopped it; else says when it is to be killed. The grace period of a deadline is its
# specification's.
read_stop() {
	[[ $stopped =~ ^[KRrTt]\ +([0-9]+)\ *([0-9]*) ]] || return
	# As a command: an expansion that cannot be evaluated would end the keeper (ARITHMETIC EVALUATION, bash(1)).
	((kill_at = 10#${BASH_REMATCH[1]} + 10#${BASH_REMATCH[2]:-${grace[$1]}}))
}

# Its record first: whoever comes next is not to send a second SIGTERM.
ask() {
	local signal
	{
		IFS= read -r started <&3
		IFS= read -r ended <&3
		printf '%s' "$2" >&3
	} 3<>"$state/records/$1"
	# All stand still until each has the signal: a shell whose child left before it would go on to its next command.
	for signal in STOP TERM CONT; do
		signal_tree "$1" "$signal"
	done
	return 0
}

# Also where its shim was killed, and nobody will write that.
has_ended() {
	[[ $ended == E* ]] || ! is_alive "$pid" "$ticks"
}

# What a command left behind falls to its timeout as well. A guess that costs little, since it is asked
# often: a group of this number may be a stranger's, and signal_tree looks again.
has_leftover() {
	if [[ -n ${cgroup[$1]} ]]; then
		[[ $(<"${cgroup[$1]}/cgroup.events") == *'populated 1'* ]]
		return
	fi
	kill -s 0 -- "-$pid" && return
	# Whoever was not seen may have come since; that is asked once for all.
	{ ((now < looked + 500)) && [[ -n ${carried[$1]} ]]; } || ((looked == now)) || find_carried
	[[ -n ${carried[$1]} ]]
}

# Whose cookie is carried by anything alive, in one look for all: some have left their command's group.
find_carried() {
	local process cookie
	looked=$now
	carried=()
	for process in /proc/[0-9]*; do
		read_cookie "${process#/proc/}"
		# Anybody may set that variable to anything: a subscript would be evaluated.
		[[ ! $cookie =~ ^proc_[[:alnum:]]+$ ]] || carried[$cookie]=1
	done
}

# Signals what is in the command's group or cgroup, or carries its cookie. Fails if there is nothing.
signal_tree() {
	local process leader='' found=1 cookie
	if [[ -n ${cgroup[$1]} ]]; then
		[[ $2 == KILL ]] && printf 1 >"${cgroup[$1]}/cgroup.kill"
		while read -r process; do
			found=0
			kill -s "$2" "$process"
		done <"${cgroup[$1]}/cgroup.procs"
		return "$found"
	fi
	# A group whose leader is alive, and is the one that we started, is ours. Where the leader is gone, a stranger's
	# group of that number would be in a session of its own, and that of another of our commands carries its cookie.
	is_alive "$pid" "$ticks" && is_ours "$1" "$parent" && leader=$pid
	for process in /proc/[0-9]*; do
		process=${process#/proc/}
		read_stat "$process" || continue
		[[ $process_state != Z ]] || continue
		read_cookie "$process"
		[[ $group == "$leader" || $cookie == "$1" ]] || is_orphan || continue
		found=0
		kill -s "$2" "$process"
	done
	return "$found"
}

# A record can be written by its own command, and any number into it: a stranger carries no cookie of ours, and
# has no shim for its parent.
is_ours() {
	local cookie
	read_cookie "$pid"
	[[ $cookie == "$1" ]] || is_keeper "$2"
}

is_keeper() {
	local words
	mapfile -d '' -t words <"/proc/$1/cmdline"
	((${#words[@]} > 1)) && [[ ${words[-2]##*/} == keeper.sh && ${words[-1]} == "$state" ]]
}

is_orphan() {
	[[ -z $cookie && $group == "$pid" && $session == "$session_then" && ! -e /proc/$pid ]] || return
	[[ ! -e /proc/$session ]] || is_keeper "$session"
}

# The cookie that a process carries, or nothing.
read_cookie() {
	local entries entry
	cookie=''
	mapfile -d '' -t entries <"/proc/$1/environ" || return
	for entry in "${entries[@]}"; do
		[[ $entry != NOHUPD_PROCESS_ID=* ]] || cookie=${entry#*=}
	done
}

# proc_pid_stat(5): the name may hold spaces, newlines and parentheses, so cut behind the last one.
read_stat() {
	local stat fields
	IFS= read -r -d '' stat <"/proc/$1/stat"
	# shellcheck disable=SC2206  # letters and numbers, to be split
	fields=(${stat##*) })
	process_state=${fields[0]} parent=${fields[1]} group=${fields[2]} session=${fields[3]} start_ticks=${fields[19]}
	[[ -n $start_ticks ]]
}

# The same of ourselves, at each start: our name is bash, so that the fields can be counted.
read_self() {
	read -r _ _ _ parent _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ start_ticks _ </proc/self/stat
}

# Whether it is ours, and still there: what bash has waited for is not.
is_child() {
	read_stat "$1" && [[ $parent == "$BASHPID" ]]
}

is_alive() {
	read_stat "$1" && [[ $start_ticks == "$2" ]]
}

read_record() {
	started='' ended='' stopped=''
	[[ -f $state/records/$1 ]] || return
	{
		IFS= read -r started
		IFS= read -r ended
		IFS= read -r stopped
	} <"$state/records/$1"
	read -r _ pid ticks _ session_then _ boot_then <"$state/records/$1"
	return 0
}

# Sleeps without a program: nobody ever writes into a pipe that we hold at both ends.
pause() {
	[[ -n ${silence-} ]] || exec {silence}<> <(:)
	read -rt "$1" -u "$silence"
}

main "$@"
exit
