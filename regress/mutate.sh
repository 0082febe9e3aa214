#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Takes one feature at a time out of a copy of the tree and shows that a test
# fails then.  regress/mutations has a line for each, fields between tabs:
#
#	NAME	FILE	SED-SCRIPT	TEST ...
#
# Fails when an edit changes nothing, does not compile, or no test minds.
#
#	mutate.sh [NAME ...]
set -u

cd "$(dirname "$0")/.." || exit 1
B=$(readlink -f "${B-build}")
copy=$B/mutate
only=$*
caught=0
bad=0

rm -rf "$copy"
mkdir -p "$copy"
tar -cf - --exclude=./build --exclude=./.git . | tar -xf - -C "$copy" ||
	exit 1
build()
{
	make -C "$copy" --no-print-directory -j2 B=build all helpers \
	    >"$copy/make.log" 2>&1
}

if ! build; then
	grep -m 3 error "$copy/make.log"
	echo "mutate: the tree itself does not build"
	exit 1
fi

unhappy()
{
	echo "SURVIVED  $1: $2"
	bad=$((bad + 1))
}

mutate()
{
	name=$1 file=$2 edit=$3 tests=$4
	cp "$file" "$copy/$file.new"
	sed -i -e "$edit" "$copy/$file.new"
	if cmp -s "$file" "$copy/$file.new"; then
		unhappy "$name" "the edit of $file changes nothing"
		return
	fi
	mv "$copy/$file.new" "$copy/$file"
	touch "$copy/$file"
	if ! build; then
		unhappy "$name" "does not compile: $(grep error "$copy/make.log" |
		    head -n 1)"
	else
		unit=$(for t in $tests; do
			case $t in
			unit/*|msg/*)	echo "build/regress/${t}_test" ;;
			sandbox)	echo build/regress/sandbox/acts \
			    build/regress/sandbox/acts-bare ;;
			esac
		done)
		# shellcheck disable=SC2086 # lists of words
		[ -z "$unit" ] || make -C "$copy" --no-print-directory \
		    B=build $unit >>"$copy/make.log" 2>&1
		# shellcheck disable=SC2086
		"$copy/regress/run.sh" -B build $tests >"$copy/run.log" \
		    2>&1 </dev/null
		first=$(grep -a '^not ok ' "$copy/run.log" | head -n 1)
		if [ -n "$first" ]; then
			echo "caught    $name: $first"
			caught=$((caught + 1))
		else
			unhappy "$name" "$tests: $(tail -n 1 "$copy/run.log")"
		fi
	fi
	cp "$file" "$copy/$file"
	touch "$copy/$file"
}

while IFS='	' read -r name file edit tests <&3; do
	case $name in
	""|"#"*)	continue ;;
	esac
	if [ -n "$only" ]; then
		case " $only " in *" $name "*) ;; *) continue ;; esac
	fi
	mutate "$name" "$file" "$edit" "$tests"
done 3<regress/mutations

echo "$caught caught, $bad survived"
[ "$bad" -eq 0 ] && [ "$caught" -gt 0 ]
