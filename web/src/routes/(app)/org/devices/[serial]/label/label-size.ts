export type LabelSize = 'small' | 'medium' | 'large';

export const LABEL_SIZES: { value: LabelSize; label: string }[] = [
  { value: 'small', label: '40 × 20 mm' },
  { value: 'medium', label: '62 × 29 mm' },
  { value: 'large', label: '90 × 50 mm' },
];
