# SPDX-License-Identifier: BSD-2-Clause
# tests/unit/svm_test.h includes svm/svm.c.

SVM_TESTS := test_svm_event test_svm_exit test_svm_run test_svm_state
SVM_TEST_SRCS := svm/event.c svm/exit.c svm/lme.c svm/msrpm.c svm/state.c

$(foreach t,$(SVM_TESTS),$(eval UNIT_SRCS_$t := $(SVM_TEST_SRCS)))
$(foreach t,$(SVM_TESTS),$(eval UNIT_FLAGS_$t := $(UNIT_FAKES)))
$(SVM_TESTS:%=$B/unit/%): svm/svm.c
