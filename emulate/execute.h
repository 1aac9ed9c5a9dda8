/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions that the opcode tables name.  Each executes one instruction
 * on the loaded operands and leaves the result in emul.dst, flags in
 * emul.flags; registers other than dst it writes itself, last of all.
 */
#ifndef BULKHEAD_EMULATE_EXECUTE_H
#define BULKHEAD_EMULATE_EXECUTE_H

#include "emulate/internal.h"

#define EXECUTE(name) enum emul_status execute_##name(struct emul *e)

/* Integers */
EXECUTE(add);
EXECUTE(or);
EXECUTE(and);
EXECUTE(sub);
EXECUTE(xor);
EXECUTE(cmp);
EXECUTE(test);
EXECUTE(adc);
EXECUTE(sbb);
EXECUTE(inc);
EXECUTE(dec);
EXECUTE(neg);
EXECUTE(complement);
EXECUTE(mov);
EXECUTE(movsx);
EXECUTE(movbe);
EXECUTE(bswap);
EXECUTE(lea);
EXECUTE(xchg);
EXECUTE(nop_xchg);
EXECUTE(xchg_modrm);
EXECUTE(xadd);
EXECUTE(cmpxchg);
EXECUTE(cmpxchg_pair);
EXECUTE(cbw);
EXECUTE(cwd);
EXECUTE(mul);
EXECUTE(imul);
EXECUTE(imul2);
EXECUTE(imul3);
EXECUTE(div);
EXECUTE(idiv);
EXECUTE(daa);
EXECUTE(das);
EXECUTE(aaa);
EXECUTE(aas);
EXECUTE(aam);
EXECUTE(aad);
EXECUTE(salc);
EXECUTE(sahf);
EXECUTE(lahf);
EXECUTE(cmc);
EXECUTE(clc);
EXECUTE(stc);
EXECUTE(cld);
EXECUTE(std);
EXECUTE(nop);
EXECUTE(prefetchw);
EXECUTE(ud);
EXECUTE(cmov);
EXECUTE(setcc);
EXECUTE(xlat);

/* Bits */
EXECUTE(rol);
EXECUTE(ror);
EXECUTE(rcl);
EXECUTE(rcr);
EXECUTE(shl);
EXECUTE(shr);
EXECUTE(sar);
EXECUTE(shld);
EXECUTE(shrd);
EXECUTE(bt);
EXECUTE(bts);
EXECUTE(btr);
EXECUTE(btc);
EXECUTE(bsf);
EXECUTE(bsr);
EXECUTE(tzcnt);
EXECUTE(lzcnt);
EXECUTE(popcnt);
EXECUTE(crc32);
EXECUTE(adcx);
EXECUTE(adox);
EXECUTE(andn);
EXECUTE(blsr);
EXECUTE(blsmsk);
EXECUTE(blsi);
EXECUTE(bextr);
EXECUTE(bzhi);
EXECUTE(shlx);
EXECUTE(shrx);
EXECUTE(sarx);
EXECUTE(rorx);
EXECUTE(pdep);
EXECUTE(pext);
EXECUTE(mulx);

/* Near control transfer */
EXECUTE(jcc);
EXECUTE(jmp_near);
EXECUTE(jmp_indirect);
EXECUTE(call_near);
EXECUTE(call_indirect);
EXECUTE(ret_near);
EXECUTE(loop);
EXECUTE(loope);
EXECUTE(loopne);
EXECUTE(jcxz);

/* Far control transfer */
EXECUTE(call_far);
EXECUTE(jmp_far);
EXECUTE(call_far_indirect);
EXECUTE(jmp_far_indirect);
EXECUTE(load_far_pointer);
EXECUTE(ret_far);
EXECUTE(iret);

/* Stack */
EXECUTE(push);
EXECUTE(pop);
EXECUTE(pop_modrm);
EXECUTE(push_segment);
EXECUTE(pop_segment);
EXECUTE(pusha);
EXECUTE(popa);
EXECUTE(enter);
EXECUTE(leave);
EXECUTE(pushf);
EXECUTE(popf);
EXECUTE(cli);
EXECUTE(sti);

/* Strings */
EXECUTE(movs);
EXECUTE(stos);
EXECUTE(lods);
EXECUTE(cmps);
EXECUTE(scas);
EXECUTE(ins);
EXECUTE(outs);

/* Ports */
EXECUTE(in);
EXECUTE(out);

/* Segments and tables */
EXECUTE(mov_to_segment);
EXECUTE(arpl);
EXECUTE(lar);
EXECUTE(lsl);
EXECUTE(verr);
EXECUTE(verw);
EXECUTE(sldt);
EXECUTE(str);
EXECUTE(smsw);
EXECUTE(sgdt);
EXECUTE(sidt);
EXECUTE(lgdt);
EXECUTE(lidt);
EXECUTE(lldt);
EXECUTE(ltr);
EXECUTE(bound);

/* System */
EXECUTE(hlt);
EXECUTE(fwait);
EXECUTE(mov_from_cr);
EXECUTE(mov_to_cr);
EXECUTE(clts);
EXECUTE(lmsw);
EXECUTE(mov_from_dr);
EXECUTE(mov_to_dr);
EXECUTE(rdmsr);
EXECUTE(wrmsr);
EXECUTE(rdtsc);
EXECUTE(rdtscp);
EXECUTE(rdpmc);
EXECUTE(cpuid);
EXECUTE(xgetbv);
EXECUTE(xsetbv);
EXECUTE(rdpkru);
EXECUTE(wrpkru);
EXECUTE(clac);
EXECUTE(stac);
EXECUTE(invlpg);
EXECUTE(invpcid);
EXECUTE(wbinvd);
EXECUTE(clflush);
EXECUTE(monitor);
EXECUTE(mwait);
EXECUTE(hypercall);
EXECUTE(swapgs);
EXECUTE(rdfsbase);
EXECUTE(wrfsbase);
EXECUTE(syscall);
EXECUTE(sysret);
EXECUTE(sysenter);
EXECUTE(sysexit);
EXECUTE(int);
EXECUTE(int3);
EXECUTE(into);
EXECUTE(icebp);

/* Vectors */
EXECUTE(lddqu);
EXECUTE(movntdqa);
EXECUTE(movu_load);
EXECUTE(movu_store);
EXECUTE(mova_load);
EXECUTE(mova_store);
EXECUTE(movss_load);
EXECUTE(movss_store);
EXECUTE(movsd_load);
EXECUTE(movsd_store);
EXECUTE(mov_half_load);
EXECUTE(mov_half_store);
EXECUTE(mov_dword_dup);
EXECUTE(movddup);
EXECUTE(movd_load);
EXECUTE(movd_store);
EXECUTE(movq_load);
EXECUTE(movq_store);
EXECUTE(maskmovdqu);
EXECUTE(maskmovq);
EXECUTE(pand);
EXECUTE(pandn);
EXECUTE(por);
EXECUTE(pxor);
EXECUTE(paddq);
EXECUTE(paddd);
EXECUTE(psubd);
EXECUTE(psubq);
EXECUTE(vzero_emms);

EXECUTE(simd_0f);
EXECUTE(simd_0f38);
EXECUTE(simd_0f3a);
EXECUTE(simd_shift);
EXECUTE(vbroadcast);
EXECUTE(vmaskmov_load);
EXECUTE(vmaskmov_store);
EXECUTE(vgather);

/* x87 and saved state */
EXECUTE(x87_memory);
EXECUTE(x87_register);
EXECUTE(fldcw);
EXECUTE(fnstcw);
EXECUTE(fnstsw);
EXECUTE(fnstsw_ax);
EXECUTE(fninit);
EXECUTE(fnclex);
EXECUTE(fnstenv);
EXECUTE(fldenv);
EXECUTE(fnsave);
EXECUTE(frstor);
EXECUTE(mmx_movd_load);
EXECUTE(mmx_movd_store);
EXECUTE(mmx_movq_load);
EXECUTE(mmx_movq_store);
EXECUTE(emms);
EXECUTE(ldmxcsr);
EXECUTE(stmxcsr);
EXECUTE(fxsave);
EXECUTE(fxrstor);
EXECUTE(xsave);
EXECUTE(xsavec);
EXECUTE(xrstor);

/* execute_recent.c */
EXECUTE(rdrand);
EXECUTE(rdseed);
EXECUTE(rdpid);
EXECUTE(serialize);
EXECUTE(movdiri);
EXECUTE(movdir64b);
EXECUTE(clzero);

#endif
