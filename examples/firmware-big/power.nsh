@echo -off
# A variable gets one value, then another.  What it has is shown at each start, and in
# the end.
set -v guid 6a5b1c0e-58b1-4c1f-9d66-5d1a1f3f7a11
echo at the start:
dmpstore kept -guid %guid%
echo sets the first
setvar kept -guid %guid% -bs -rt -nv =0x1111111111111111
echo sets the second
setvar kept -guid %guid% -bs -rt -nv =0x2222222222222222
echo in the end:
dmpstore kept -guid %guid%
echo has shown
reset -s
