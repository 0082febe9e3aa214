#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What a program is called: by the file that it runs, as this host sees it,
# whatever the program itself, its namespace or its root directory call it.
# All of them send once and are gone when anybody asks.
. "$(dirname "$0")/lib.sh"

SENDERS=$B/regress/senders
[ -x "$SENDERS-static" ] && SENDERS=$SENDERS-static
next_port=5000

setup
mkdir -m 700 "$T/closed"
mkdir -p "$T/jail$T"
for f in good bad closed/good gone replaced "jail$T/good"; do
	cp "$SENDERS" "$T/$f"
done
set_rules "allow $BARE4 - udp exe=$T/good" \
    "allow $BARE4 - udp exe=$T/closed/*" "drop $BARE4 - udp"
start_snitch || exit 1

# sends COMMAND ...: with the port behind it.
sends()
{
	clear_log
	next_port=$((next_port + 1))
	in_host "$@" $BARE4 "$next_port" >/dev/null 2>"$T/err"
	wait_log "-> $BARE4:$next_port " || fail "nothing sent: $(cat "$T/err")"
	line=$(grep -- "-> $BARE4:$next_port " "$T/log")
	echo "   $line" >&2
}

# shown ACTION EXECUTABLE
shown()
{
	case $line in
	*" INFO $1 "*"] $2 "*) ;;
	*)	fail "not $1 $2: $line" ;;
	esac
}

itself()
{
	sends "$T/good" leaf send
	shown allow "$T/good $T/good"
	sends "$T/bad" leaf send
	shown drop "$T/bad $T/bad"
}

# Its folder hides it from procinfo, and nothing else does.
closed()
{
	sends "$T/closed/good" leaf send
	shown allow "$T/closed/good $T/closed/good"
}

# shellcheck disable=SC2016 # expanded by the inner shell
forged()
{
	sends unshare --mount --propagation private sh -c '
		mount --bind "$0/bad" "$0/good" && exec "$0/good" "$@"' "$T" \
	    leaf send
	shown drop "$T/good (unconfirmed)"
}

# The same by a user without any rights.
# shellcheck disable=SC2016 # expanded by the inner shell
forged_user()
{
	sends setpriv --reuid 65534 --regid 65534 --clear-groups \
	    unshare --user --map-root-user --mount sh -c '
		mount --bind "$0/bad" "$0/good" && exec "$0/good" "$@"' "$T" \
	    leaf send
	shown drop "$T/good (unconfirmed)"
}

# In a namespace of its own like many a service, and yet what it says.
elsewhere()
{
	sends unshare --mount --propagation private "$T/good" leaf send
	shown allow "$T/good $T/good"
}

jailed()
{
	sends chroot "$T/jail" "$T/good" leaf send
	case $line in
	*" drop "*"] $T/jail$T/good "*) ;;
	*" drop "*"] $T/good (unconfirmed) "*) ;;
	*)	fail "$line" ;;
	esac
}

# shellcheck disable=SC2016 # expanded by the inner shell
deleted()
{
	sends sh -c 'exec 5<"$0/gone" && rm "$0/gone" &&
		exec /proc/self/fd/5 "$@"' "$T" leaf send
	shown drop "$T/gone (deleted)"
}

# shellcheck disable=SC2016 # expanded by the inner shell
replaced()
{
	sends sh -c 'exec 5<"$0/replaced" && cp "$0/good" "$0/new" &&
		mv "$0/new" "$0/replaced" && exec /proc/self/fd/5 "$@"' "$T" \
	    leaf send
	shown drop "$T/replaced (deleted)"
}

memfd()
{
	sends "$SENDERS" once memfd
	shown drop "/memfd:none (deleted)"
}

script()
{
	cat >"$T/script" <<-'EOT'
	#!/bin/bash
	echo x >"/dev/udp/$1/$2"
	EOT
	chmod 755 "$T/script"
	sends "$T/script"
	shown drop "$(readlink -f /bin/bash) /bin/bash $T/script $BARE4"
}

# argv[0] is what the program likes.
renamed()
{
	sends bash -c 'exec -a /usr/bin/curl "$0" "$@"' "$T/bad" leaf send
	shown drop "$T/bad /usr/bin/curl leaf"
}

check "a program is its file" itself
check "in a folder that is closed" closed
check "another file mounted over it" forged
if in_host setpriv --reuid 65534 --regid 65534 --clear-groups \
    unshare --user --map-root-user --mount true 2>/dev/null; then
	check "mounted over it by a user" forged_user
else
	say_skip "mounted over it by a user" "no user namespaces for users"
fi
check "in a namespace of its own" elsewhere
if ldd "$SENDERS" >/dev/null 2>&1; then
	say_skip "in another root directory" "no static libraries"
else
	check "in another root directory" jailed
fi
check "deleted" deleted
check "replaced" replaced
check "without a file" memfd
check "a script" script
check "with another's name" renamed
finish
