# SPDX-License-Identifier: BSD-2-Clause

SVM_TESTS := test_svm_event test_svm_exit test_svm_run test_svm_state
SVM_TEST_SRCS := $(call c_in,svm)

$(foreach t,$(SVM_TESTS),$(eval UNIT_SRCS_$t := $(SVM_TEST_SRCS)))
$(foreach t,$(SVM_TESTS),$(eval UNIT_FLAGS_$t := $(UNIT_FAKES)))
