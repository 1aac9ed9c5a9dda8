@echo -off
# A variable is set, and shown after a reset; then the guest is off.
set guid 6a5b1c0e-58b1-4c1f-9d66-5d1a1f3f7a11
if not exist fs0:\begun then
  setvar kept -guid %guid% -bs -rt -nv =0x0102030405060708
  setvar gone -guid %guid% -bs -rt =0x01
  echo begun > fs0:\begun
  echo has set
  reset
endif
dmpstore kept -guid %guid%
setvar gone -guid %guid%
echo has shown
reset -s
