#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The intruder's program (acts.c), with the filters and once more with the
# layers below them only.  Each prints a line per case.
set -u

rc=0
for program in acts acts-bare; do
	"${B:-build}/regress/sandbox/$program" || rc=1
done
exit $rc
