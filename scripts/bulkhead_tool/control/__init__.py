# SPDX-License-Identifier: BSD-2-Clause
"""The outside end of the control protocol (docs/control.md).

frames.py    bytes to frames and back, whatever noise is between them
broker.py    one carrier, many clients
client.py    a client, and the errors it ends in
sockets.py   where the brokers of running hosts listen
screen.py    a guest's screen, as pixels and as text
keys.py      keys by their names, and what characters are on keyboards
verbs.py     the commands that steer a guest; screens.py those that watch it
viewers.py   screens for VNC viewers, by the program of scripts/vnc/
web.py       all guests on a page of a browser; async_client.py is its client
"""
