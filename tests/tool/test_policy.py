# SPDX-License-Identifier: BSD-2-Clause
"""Many guests of a node, and what `check --policy` says of them."""

import unittest

from folder import ManifestTest    # and the way to the tool
from bulkhead_tool import Problem, host

HOST = """/dts-v1/;
/ {
	compatible = "bulkhead,host-v1";
	policy { %s };
	guests {
		web { board = "pc"; memory-mib = <64>; count = <3>;
			disk0 { bus = "ide"; image = "a.img"; };
			nic0 { model = "e1000"; switch = "lan0"; };
			nic1 { model = "e1000"; switch = "lan1"; vlan = <5>; };
		};
		db { board = "pc"; memory-mib = <64>; label = "store";
			nic0 { model = "e1000"; switch = "lan0"; };
			nic1 { model = "e1000"; switch = "lan1"; vlan = <6>; };
		};
		evil { board = "pc"; memory-mib = <64>;
			nic0 { model = "e1000"; switch = "lan0"; };
			vsock0 { cid = <5>; peer = "spy", "good"; };
		};
		spy { board = "pc"; memory-mib = <64>;
			vsock0 { cid = <6>; peer = "evil", "good"; };
		};
		good { board = "pc"; memory-mib = <64>;
			vsock0 { cid = <7>; peer = "spy", "evil"; };
		};
	};
};
"""
RULES = """front { networks = "lan0"; allow = "web", "store"; };
	back { networks = "lan1"; allow = "web", "store", "control"; };
	plot { vsocks = "evil:spy", "evil:good"; allow = "good", "spy"; };
	talk { vsocks = "good:spy"; allow = "good", "spy"; };
	wall { conflict = "evil", "store"; };"""

TEXT = """guests:
  web, 3 of them, label web
  db, 1 of them, label store
  evil, 1 of them, label evil
  spy, 1 of them, label spy
  good, 1 of them, label good
who has what:
  network lan0 (rule front): web, db
  network lan1 (rule back): web, db, clients of the control protocol
  image a.img (rule none): web
  vsock evil:spy (rule plot): spy
  vsock evil:good (rule plot): good
  vsock good:spy (rule talk): spy, good
who reaches whom:
  web <-> web: network lan0
  web <-> web: network lan1
  web <-> db: network lan0
  spy <-> good: vsock
refused: evil: rule front does not allow network lan0 to label evil
never together: db, evil: rule wall
"""


class Policies(ManifestTest):
    def source(self, rules=RULES):
        return self.write("host.dts", HOST % rules)

    def test_text_says_who_reaches_whom(self):
        self.assertEqual(host.policy(self.source(), self.work, "text"), TEXT)

    def test_dot_is_a_graph_with_what_is_denied(self):
        dot = host.policy(self.source(), self.work, "dot")
        self.assertRegex(dot, r"(?s)^graph policy \{\n.*\n\}\n$")
        for line in ('"web" -- "network lan0" [label="front"];',
                     '"evil" -- "network lan0" [label="front", style=dashed, '
                     'color=red];',
                     '"db" -- "evil" [label="wall", style=dotted, color=red];',
                     '"image a.img" [shape=note];',
                     '"vsock evil:spy" [shape=ellipse];',
                     '"spy" -- "vsock evil:spy" [label="plot"];',
                     '"evil" -- "vsock evil:spy" [label="plot", style=dashed, '
                     'color=red];'):
            self.assertIn("\t" + line + "\n", dot)

    def test_who_is_refused_is_told_of_with_the_manifest(self):
        self.write("a.img", "\0" * 65536)
        made = host.Host(self.source(), self.work)
        self.assertEqual(host.refusals(made.dtb), TEXT.splitlines()[-2:])

    def test_files_need_not_be_there(self):
        text = host.policy(self.source(), self.work, "text")
        self.assertIn("who reaches whom:", text)

    def test_a_wrong_one_is_refused(self):
        with self.assertRaisesRegex(Problem, "/policy/r: allow: \"wbe\""):
            host.policy(self.source('r { networks = "lan0"; allow = "wbe"; };'),
                        self.work, "text")
        with self.assertRaisesRegex(Problem, "no rule lists network lan0"):
            host.policy(self.source('wall { conflict = "web", "store"; };'),
                        self.work, "text")

    def test_copies_are_guests_and_take_memory(self):
        self.write("a.img", "\0" * 65536)
        made = host.Host(self.source(), self.work)
        self.assertEqual(host.names(made.guests),
                         ["web-1", "web-2", "web-3", "db", "evil", "spy",
                          "good"])
        self.assertGreaterEqual(
            made.memory_mib(), 7 * (64 + host.GUEST_BESIDE_MIB) +
            host.HOST_RESERVE_MIB)
        self.assertEqual([m.name for m in made.modules].count("a.img"), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
