export interface LeaseStore {
  /** Takes or extends the named lease. Returns false while another holder has it. Times are milliseconds. */
  acquire(name: string, holder: string, untilMs: number, nowMs: number): Promise<boolean>;
  release(name: string, holder: string): Promise<void>;
}
