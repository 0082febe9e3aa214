#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Rules of opensnitch by chance, and what opensnitch decides by them.

    oracle.py SEED DIRECTORY

Writes rule files to the directory, and on standard output for each of many
connections the decision and the connection: ACTION HOST PORT PROGRAM USER,
where the action is "-" when no rule matches.
"""
import json
import os
import random
import re
import sys

HOSTS = ["a.example.org", "b.example.org", "example.org", "c.test.net"]
PORTS = [22, 25, 443]
PROGRAMS = ["/opt/one", "/opt/two", "/usr/bin/three"]
USERS = [0, 1000]
OPERATORS = [
    ("dest.host", "simple", HOSTS),
    ("dest.host", "regexp", [r"^(|.*\.)example\.org$", r"^(c|d)\.test\.net$"]),
    ("dest.port", "simple", ["22", "25", "443"]),
    ("dest.port", "regexp", [r"^(22|443)$", "^2[0-5]$"]),
    ("dest.port", "range", ["20-30"]),
    ("process.path", "simple", PROGRAMS),
    ("process.path", "regexp", ["^/opt/.*", "^/opt/(one|two)$"]),
    ("user.id", "simple", ["0", "1000"]),
]


def holds(op, connection):
    value = str(connection[op["operand"]])
    if op["type"] == "regexp":
        return re.search(op["data"], value) is not None
    if op["type"] == "range":
        low, high = op["data"].split("-")
        return int(low) <= int(value) <= int(high)
    return value == op["data"]


def decide(rules, connection):
    action = "-"
    for rule in sorted(rules, key=lambda r: r["name"]):
        ops = rule["operator"]["list"]
        if not all(holds(op, connection) for op in ops):
            continue
        action = rule["action"]
        if action != "allow" or rule["precedence"]:
            break
    return action


def make_rule(n):
    operands = {}
    for operand, kind, values in random.sample(OPERATORS,
                                               random.randint(1, 3)):
        operands[operand] = {"operand": operand, "type": kind,
                             "data": random.choice(values)}
    return {"name": "%02d" % n, "enabled": True, "duration": "always",
            "action": random.choice(["allow", "allow", "deny", "reject"]),
            "precedence": random.random() < .25,
            "operator": {"type": "list", "operand": "list", "data": "",
                         "list": list(operands.values())}}


def main():
    random.seed(int(sys.argv[1]))
    rules = [make_rule(n) for n in range(random.randint(4, 12))]
    for rule in rules:
        path = os.path.join(sys.argv[2], rule["name"] + ".json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(rule, f)
    all_of_them = [(h, p, x, u) for h in HOSTS for p in PORTS
                   for x in PROGRAMS for u in USERS]
    for host, port, program, user in random.sample(all_of_them, 20):
        print(decide(rules, {"dest.host": host, "dest.port": port,
                             "process.path": program, "user.id": user}),
              host, port, program, user)


main()
