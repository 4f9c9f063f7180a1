// Package modernbert runs ModernBERT checkpoints, as transformers'
// modeling_modernbert.py does, on an [engine.Engine].
//
// A batch is packed: its sequences lie one after another, no padding is computed
// anywhere, attention never crosses from one to the next and positions restart
// in each. [NewProgram] turns a configuration, lengths and what is wanted into
// passes, without a device; a [Model] holds the weights on one and runs programs.
package modernbert
