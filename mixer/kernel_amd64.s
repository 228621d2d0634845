#include "textflag.h"

// Eight samples a turn. What each does is said, and done in plain Go, in
// kernel.go.

// WIDEN makes 32 bits of the eight samples in LOW: the first four stay there,
// the others go to HIGH.
#define WIDEN(LOW, HIGH) \
	MOVO      LOW, HIGH  \
	PUNPCKLWL LOW, LOW   \
	PUNPCKHWL HIGH, HIGH \
	PSRAL     $16, LOW   \
	PSRAL     $16, HIGH

// PEAK takes the magnitudes of V into M, the largest so far. V and T are lost.
#define PEAK(V, T, M) \
	MOVO    V, T    \
	PSRAL   $31, T  \
	PXOR    T, V    \
	MOVO    V, T    \
	PCMPGTL M, T    \
	PXOR    M, V    \
	PAND    T, V    \
	PXOR    V, M

// PEAKOF leaves the largest of the four in M in REG. T is lost.
#define PEAKOF(M, T, REG) \
	PSHUFL  $0x4E, M, T \
	MOVO    T, X13      \
	PEAK(X13, X12, M)   \
	PSHUFL  $0xB1, M, T \
	MOVO    T, X13      \
	PEAK(X13, X12, M)   \
	MOVL    M, REG

// func energyBlocks(pcm []int16) int64
TEXT ·energyBlocks(SB), NOSPLIT, $0-32
	MOVQ pcm_base+0(FP), SI
	MOVQ pcm_len+8(FP), CX
	PXOR X0, X0
	PXOR X1, X1
	SHRQ $3, CX
	JZ   done

loop:
	MOVOU     (SI), X2
	PMADDWL   X2, X2 // sums of two squares, without sign: 2^31 at most
	MOVO      X2, X3
	PUNPCKLLQ X1, X2
	PUNPCKHLQ X1, X3
	PADDQ     X2, X0
	PADDQ     X3, X0
	ADDQ      $16, SI
	DECQ      CX
	JNZ       loop

done:
	PSHUFL $0x4E, X0, X1
	PADDQ  X1, X0
	MOVQ   X0, ret+24(FP)
	RET

// func addBlocks(sum []int32, pcm []int16)
TEXT ·addBlocks(SB), NOSPLIT, $0-48
	MOVQ sum_base+0(FP), DI
	MOVQ pcm_base+24(FP), SI
	MOVQ pcm_len+32(FP), CX
	SHRQ $3, CX
	JZ   done

loop:
	MOVOU (SI), X0
	WIDEN(X0, X1)
	MOVOU (DI), X2
	MOVOU 16(DI), X3
	PADDL X0, X2
	PADDL X1, X3
	MOVOU X2, (DI)
	MOVOU X3, 16(DI)
	ADDQ  $16, SI
	ADDQ  $32, DI
	DECQ  CX
	JNZ   loop

done:
	RET

// func minusBlocks(dst []int16, wide, sum []int32, own []int16) (peak int32)
TEXT ·minusBlocks(SB), NOSPLIT, $0-100
	MOVQ dst_base+0(FP), DI
	MOVQ wide_base+24(FP), R8
	MOVQ sum_base+48(FP), R9
	MOVQ own_base+72(FP), SI
	MOVQ own_len+80(FP), CX
	PXOR X8, X8
	PXOR X9, X9
	SHRQ $3, CX
	JZ   done

loop:
	MOVOU    (SI), X0
	WIDEN(X0, X1)
	MOVOU    (R9), X2
	MOVOU    16(R9), X3
	PSUBL    X0, X2
	PSUBL    X1, X3
	MOVOU    X2, (R8)
	MOVOU    X3, 16(R8)
	MOVO     X2, X4
	PACKSSLW X3, X4
	MOVOU    X4, (DI)
	PEAK(X2, X5, X8)
	PEAK(X3, X6, X9)
	ADDQ     $16, SI
	ADDQ     $16, DI
	ADDQ     $32, R8
	ADDQ     $32, R9
	DECQ     CX
	JNZ      loop

done:
	PEAK(X9, X5, X8)
	PEAKOF(X8, X5, AX)
	MOVL AX, peak+96(FP)
	RET

// func narrowBlocks(dst []int16, wide []int32) (peak int32)
TEXT ·narrowBlocks(SB), NOSPLIT, $0-52
	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), CX
	MOVQ wide_base+24(FP), SI
	PXOR X8, X8
	PXOR X9, X9
	SHRQ $3, CX
	JZ   done

loop:
	MOVOU    (SI), X2
	MOVOU    16(SI), X3
	MOVO     X2, X4
	PACKSSLW X3, X4
	MOVOU    X4, (DI)
	PEAK(X2, X5, X8)
	PEAK(X3, X6, X9)
	ADDQ     $32, SI
	ADDQ     $16, DI
	DECQ     CX
	JNZ      loop

done:
	PEAK(X9, X5, X8)
	PEAKOF(X8, X5, AX)
	MOVL AX, peak+48(FP)
	RET

// TIMES multiplies the four in V: f*v, rounded, in the 32 bits that can be of
// use. PMULULQ knows no sign, so X10 has made 2^31 more of each v; X11 is what
// that made too much of, and the rounding. X9 is f, twice. T is lost.
#define TIMES(V, T) \
	PXOR    X10, V    \
	MOVO    V, T      \
	PSRLQ   $32, T    \
	PMULULQ X9, V     \
	PMULULQ X9, T     \
	PADDQ   X11, V    \
	PADDQ   X11, T    \
	PSRLQ   $24, V    \
	PSLLQ   $8, T     \
	PAND    X12, V    \
	PANDN   T, X13    \
	POR     X13, V

// func scaleBlocks(dst []int16, wide []int32, f factor)
TEXT ·scaleBlocks(SB), NOSPLIT, $0-56
	MOVQ       dst_base+0(FP), DI
	MOVQ       dst_len+8(FP), CX
	MOVQ       wide_base+24(FP), SI
	MOVQ       f+48(FP), AX
	MOVQ       AX, X9
	PUNPCKLQDQ X9, X9
	SHLQ       $31, AX
	NEGQ       AX
	ADDQ       $0x800000, AX
	MOVQ       AX, X11
	PUNPCKLQDQ X11, X11
	PCMPEQL    X10, X10
	MOVO       X10, X12
	PSLLL      $31, X10
	PSRLQ      $32, X12
	SHRQ       $3, CX
	JZ         done

loop:
	MOVOU    (SI), X0
	MOVOU    16(SI), X1
	MOVO     X12, X13
	TIMES(X0, X2)
	MOVO     X12, X13
	TIMES(X1, X3)
	PACKSSLW X1, X0
	MOVOU    X0, (DI)
	ADDQ     $32, SI
	ADDQ     $16, DI
	DECQ     CX
	JNZ      loop

done:
	RET

// func signsBlocks(pcm []int16) int
TEXT ·signsBlocks(SB), NOSPLIT, $0-32
	MOVQ    pcm_base+0(FP), SI
	MOVQ    pcm_len+8(FP), CX
	PXOR    X0, X0
	PCMPEQW X1, X1
	PSRLW   $15, X1
	SHRQ    $3, CX
	JZ      done

loop:
	MOVOU   (SI), X2
	MOVOU   2(SI), X3
	PXOR    X3, X2
	PSRLW   $15, X2
	PMADDWL X1, X2
	PADDL   X2, X0
	ADDQ    $16, SI
	DECQ    CX
	JNZ     loop

done:
	PSHUFL $0x4E, X0, X1
	PADDL  X1, X0
	PSHUFL $0xB1, X0, X1
	PADDL  X1, X0
	MOVL   X0, AX
	MOVQ   AX, ret+24(FP)
	RET
