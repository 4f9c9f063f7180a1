// Package tune finds the shapes of kernels with which a device is quickest.
//
// For each class of problems it runs all shapes that the device can run, of every
// tier, over what a layer of ModernBERT-base computes, in turns, so that what else
// the machine does hits all alike. A shape must give what the default gives before
// it may win, and it wins only where it is quicker by more than noise, so that
// tuning twice gives the same verdict.
package tune
