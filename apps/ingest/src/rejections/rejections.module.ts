import { Module } from '@nestjs/common';
import { RejectionRecorder } from './rejection-recorder.js';

/** Records what is refused, by itself. Needs `LimitsModule`, and the global publisher and metrics. */
@Module({ providers: [RejectionRecorder] })
export class RejectionsModule {}
