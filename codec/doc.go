// Package codec turns payloads into PCM and back, fills the gaps that lost
// packets leave, and changes sampling rates. PCM is mono, 16 bits, signed.
//
// Nothing here has a clock, a goroutine, a lock or a log, and nothing allocates
// after construction. A Decoder, Encoder, Concealer or Resampler belongs to one
// stream and is used by one goroutine at a time. Frames may have any length up
// to MaxFrame; buffers belong to the caller and are never kept.
package codec
